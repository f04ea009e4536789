"""Queries of one conversation: messages, changes, reply quota. See `list_queries` for lists."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.utils import timezone

from messaging.conversations.access import messages_by_id_of, messages_of
from messaging.conversations.standing import UNDECIDED
from messaging.delivering import queue
from messaging.models import MESSAGE_STREAM, SPOKEN, Conversation, Message, MessageStatus
from messaging.reply_window.reply_route import Candidate, find_route
from messaging.reply_window.routes import candidate
from sessions_app.models import Context, Session
from sessions_app.people.roles import Visitor
from sessions_app.realtime.streams import numbers_of
from sessions_app.team_settings.limits import team_settings


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Messages, oldest first. `has_older`, `has_newer`: there are more before or after them."""

    messages: list[Message]
    has_older: bool
    has_newer: bool = False


@dataclass(frozen=True, slots=True)
class ReplyQuota:
    """What can be sent to this contact now. `code`: "" or why not, as in the contract."""

    session: Session | None
    usable: bool
    code: str
    closes_at: datetime | None
    replies_left: int
    replies_limit: int
    offer: list[str]
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonContext:
    """One session that this contact wrote to, for the side panel."""

    session: Session
    closes_at: datetime
    replies_left: int
    usable: bool


SHOWN_CHARACTERS = 20_000
"""Characters of a text on a page. WeChat's own app takes fewer; what lies behind has a link."""
QUOTED_CHARACTERS = 500
PIECE_CHARACTERS = 1_000_000


def _messages(conversation: Conversation) -> QuerySet[Message]:
    return on_pages(Message.objects.filter(conversation=conversation))


def on_pages(rows: QuerySet[Message]) -> QuerySet[Message]:
    """`whole` with as much of each text as a page shows: one message may bring 30 MB.

    `text_shown` has one character more than is shown if there are more.
    """
    texts = ("text", "quote_text", "quote_of__text")
    return (
        whole(rows)
        .defer(*texts)
        .annotate(  # type: ignore[no-redef]
            text_shown=Substr("text", 1, SHOWN_CHARACTERS + 1),
            quote_shown=Substr("quote_text", 1, QUOTED_CHARACTERS),
            quoted_shown=Substr("quote_of__text", 1, QUOTED_CHARACTERS),
        )
    )


def text_pieces(message_id: int) -> Iterator[str]:
    """The whole text of a message in pieces, so that it need not fit into memory."""
    rows, at = Message.objects.filter(pk=message_id), 1
    while piece := rows.values_list(Substr("text", at, PIECE_CHARACTERS), flat=True).first():
        yield piece
        at += PIECE_CHARACTERS


def whole(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Load all that a page or answer shows of a message: two queries for any number of rows."""
    rows = rows.select_related("session", "sent_by", "quote_of")
    rows = rows.defer("encrypted_raw", "quote_of__encrypted_raw")
    return rows.prefetch_related("attachments")


def stored_messages(
    user: Visitor,
    *,
    after: int = 0,
    limit: int = 50,
    session_name: str = "",
    user_id: str = "",
    direction: str = "",
    conversation: Conversation | None = None,
) -> list[Message]:
    """Messages in stored order, without notes and events. Each has its `held_by`.

    Ids follow commit order: after `after` no smaller id ever appears.
    """
    is_narrow = bool(user_id) or conversation is not None
    mine = messages_of(user) if is_narrow else messages_by_id_of(user)
    rows = whole(mine).select_related("conversation__contact")
    rows = rows.annotate(held_by=queue.held_by())  # type: ignore[no-redef]
    rows = rows.filter(id__gt=after, direction__in=SPOKEN)
    if session_name:
        rows = rows.filter(session__name=session_name)
    if user_id:
        rows = rows.filter(conversation__contact__user_id=user_id)
    if direction:
        rows = rows.filter(direction=direction)
    if conversation is not None:
        rows = rows.filter(conversation=conversation)
    return list(rows.order_by("id")[:limit])


def conversation(
    conversation: Conversation,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int = 50,
) -> ConversationPage:
    """The newest messages, those before or after an id, or those around one."""
    rows = _messages(conversation)
    if around is not None:
        half = limit // 2
        older = list(rows.filter(id__lte=around).order_by("-id")[: half + 1])
        newer = list(rows.filter(id__gt=around).order_by("id")[: half + 1])
        shown = [*reversed(older[:half]), *newer[:half]]
        return ConversationPage(shown, len(older) > half, len(newer) > half)
    if after is not None:
        newer = list(rows.filter(id__gt=after).order_by("id")[: limit + 1])
        return ConversationPage(newer[:limit], False, len(newer) > limit)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: limit + 1])
    return ConversationPage(list(reversed(found[:limit])), len(found) > limit)


def changed_messages(conversation: Conversation, since: int, limit: int = 500) -> list[Message]:
    """Messages stored or changed after the team's number `since`, oldest first."""
    rows = _messages(conversation).filter(version__gt=since)
    return list(reversed(rows.order_by("-id")[:limit]))


def first_kept(conversation: Conversation) -> int:
    """The id of the oldest message. What a page shows before it was deleted."""
    ids = Message.objects.filter(conversation=conversation).order_by("id")
    first = ids.values_list("id", flat=True).first()
    return newest_number() + 1 if first is None else first


def contexts_with(*conversations: Conversation) -> list[Context]:
    """A contact's contexts with the sessions of the home teams, newest first."""
    rows = Context.objects.filter(
        user_id__in={one.contact.user_id for one in conversations},
        session__team__in={one.home_team_id for one in conversations},
    )
    return list(rows.select_related("session").order_by("-received_at"))


def reply_quota(
    conversation: Conversation, *, now: datetime, known: list[Context] | None = None
) -> ReplyQuota:
    """The route of a reply and the quota left on it. `known`: the contact's contexts."""
    known = contexts_with(conversation) if known is None else known
    contexts = {one.session_id: one for one in known}
    candidates: list[Candidate] = [candidate(one) for one in contexts.values()]
    route = find_route(candidates, now=now)
    limit = team_settings().replies_per_token
    if route.chosen is None:
        return ReplyQuota(conversation.session, False, "no_context", None, 0, limit, [])
    return ReplyQuota(
        session=contexts[route.chosen.session_id].session,
        usable=not route.code,
        code=route.code,
        closes_at=route.chosen.closes_at(),
        replies_left=route.chosen.replies_left(),
        replies_limit=limit,
        offer=route.offer,
        refused_at=contexts[route.chosen.session_id].refused_at,
    )


def usable_route(conversation: Conversation) -> int | None:
    """The session that a reply would use now; None if nothing can be sent."""
    contexts = contexts_with(conversation)
    route = find_route([candidate(one) for one in contexts], now=timezone.now())
    return route.chosen.session_id if route.chosen is not None and not route.code else None


def person_contexts(
    *conversations: Conversation, now: datetime, known: list[Context] | None = None
) -> list[PersonContext]:
    """The accounts that a contact wrote to, newest first, in all the given conversations."""
    rows = []
    for context in contexts_with(*conversations) if known is None else known:
        seen = candidate(context)
        rows.append(
            PersonContext(
                session=context.session,
                closes_at=seen.closes_at(),
                replies_left=seen.replies_left(),
                usable=not seen.refusal(now),
            )
        )
    return rows


def newest_number() -> int:
    """The newest message id: every message stored later has a higher one."""
    return numbers_of([MESSAGE_STREAM])[MESSAGE_STREAM]


def holder_of(message: Message) -> int | None:
    """The reply that holds this queued one until somebody decides."""
    rows = Message.objects.filter(pk=message.pk)
    holder: int | None = rows.values_list(queue.held_by(), flat=True).get()
    return holder


def holders(conversation: Conversation) -> list[int]:
    """The replies that hold the contact's next ones until somebody decides, in order."""
    held = Message.objects.filter(conversation=conversation, holds_queue=True)
    return list(held.order_by("id").values_list("id", flat=True))


@dataclass(frozen=True, slots=True)
class Held:
    """Numbers of undecided replies in a conversation. `not_sent` includes those they hold."""

    not_sent: int = 0
    not_confirmed: int = 0
    no_receipt: int = 0


def held_counts(conversations: Iterable[Conversation]) -> dict[int, Held]:
    """Conversation id → numbers; one query."""
    known = {one.pk: one.not_sent for one in conversations}
    rows = Message.objects.filter(UNDECIDED, conversation__in=list(known))
    columns = ("conversation", "status", "missing_receipt")
    found: dict[int, Counter[str]] = defaultdict(Counter)
    # Ordered as the index on these rows, else SQLite reads whole conversations.
    for pk, status, lacks in rows.order_by("conversation", "id").values_list(*columns):
        found[pk]["no_receipt" if lacks else status] += 1
    held = {}
    for pk, each in found.items():
        unconfirmed, lacking = each[MessageStatus.UNCONFIRMED], each["no_receipt"]
        not_sent = max(each[MessageStatus.FAILED], known[pk] - unconfirmed - lacking)
        held[pk] = Held(not_sent, unconfirmed, lacking)
    return held
