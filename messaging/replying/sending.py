"""Queues a reply: a text, split if long, then files. Checks for other answers; allows an undo.

`services` has the rules for replies; nothing here calls WeChat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from messaging.composing import draft_files, drafts
from messaging.conversations import rows
from messaging.conversations.errors import AnsweredMeanwhile, DraftAlreadyUsed, ReplyError
from messaging.conversations.standing import show_standing
from messaging.delivering.throttle import THROTTLED
from messaging.models import (
    Conversation,
    Direction,
    Draft,
    DraftKind,
    EventCode,
    Message,
    MessageKind,
    MessageStatus,
    Upload,
)
from messaging.reply_window import quota
from messaging.reply_window.reply_route import text_problem
from messaging.replying import reasons, services, typing_sign
from messaging.replying.counting import counting_refusals
from messaging.text.splitting import parts_of
from messaging.transfers import replies
from messaging.transfers.replies import Part, Wanted
from sessions_app.models import Context, User
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.recording.actions import Action
from sessions_app.team_settings.limits import TeamSettings
from sessions_app.templatetags.console import ago_text
from sessions_app.text.unseen import apart


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent wants to send.

    `split`: send a long text as several messages. `seen_up_to`: the newest message that the agent
    had seen when starting the draft; None skips this check. `hold_s`: how long it can be undone.
    `expected_id`: the account on the Send button; None leaves it to the route.
    `quote_of`: a message of the same conversation that the first part quotes. `next_key`: the key
    of the draft that follows.
    """

    text: str
    draft_key: str
    session_name: str | None = None
    expected_id: int | None = None
    override: bool = False
    split: bool = False
    seen_up_to: int | None = None
    hold_s: int = 0
    files: tuple[Wanted, ...] = ()
    quote_of: Message | None = None
    next_key: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """The messages of a reply, and the context that counts them; None: they were queued before."""

    messages: list[Message]
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What returns to the composer."""

    draft: Draft
    files: list[Upload]


def send(
    *, user: User | None, conversation: Conversation, wish: Wish, limits: TeamSettings
) -> list[Message]:
    """Queue all parts in order, or none. The same draft key again returns the same messages.

    Turns uploads into attachments. Raises ReplyError, FileProblem, and AnsweredMeanwhile if
    somebody else has answered since the draft was started.
    """
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        return queue(change, locked, user=user, wish=wish, limits=limits).messages


@counting_refusals()
def queue(
    change: Change,
    conversation: Conversation,
    *,
    user: User | None,
    wish: Wish,
    limits: TeamSettings,
) -> Queued:
    """As `send`, as a part of a transaction that has locked the conversation."""
    texts = _texts(services.clean(wish.text), wish, limits)
    replies.check_count(wish.files)
    if posted := posted_with(conversation, wish.draft_key):
        return Queued(_first_answer(posted, texts, wish))
    _look_around(conversation, user, wish.seen_up_to)
    parts = [Part(text=one) for one in texts]
    parts += [replies.part_of(user, one, conversation) for one in wish.files]
    context = services.find_context(
        conversation,
        session_name=wish.session_name,
        expected_id=wish.expected_id,
        override=wish.override,
        cost=len(parts),
    )
    made = _messages(parts, user, wish)
    services.queue_messages(conversation, context, made, detail=parts[-1].detail)
    for message, part in zip(made, parts, strict=True):
        if part.upload is not None:
            replies.attach(message, part.upload, part.kind)
    services.record_sent(Action.REPLY_SENT, conversation, context, user, len(made))
    show_standing(change, conversation)
    rows.touch(change, conversation, *made)
    drafts.consume(user, conversation, DraftKind.REPLY, wish.draft_key, next_key=wish.next_key)
    typing_sign.stop(conversation)
    wake_workers()
    return Queued(made, context)


def _messages(parts: Sequence[Part], user: User | None, wish: Wish) -> list[Message]:
    """One for each part, not saved yet."""
    release_at = timezone.now() + timedelta(seconds=wish.hold_s) if wish.hold_s else None
    return [
        Message(
            kind=part.kind,
            text=part.text,
            quote_of=None if position else wish.quote_of,
            quote_text=wish.quote_of.text if wish.quote_of and not position else "",
            overrides_limits=wish.override,
            sent_by=user,
            draft_key=part_key(wish.draft_key, position) or None,
            release_at=release_at,
        )
        for position, part in enumerate(parts)
    ]


def part_key(draft_key: str, position: int) -> str:
    """The key of one part; the first part has the draft's own."""
    return f"{draft_key[:56]}:{position + 1}" if position and draft_key else draft_key


def _texts(text: str, wish: Wish, limits: TeamSettings) -> list[str]:
    if wish.files and not text.strip():
        return []
    parts = parts_of(text, characters=limits.warn_characters) if wish.split else [text]
    for part in parts or [""]:
        if problem := text_problem(part):
            raise ReplyError(problem, reasons.refusal(problem))
    return parts


def _first_answer(posted: list[Message], texts: list[str], wish: Wish) -> list[Message]:
    known = [one.text for one in posted if one.kind == MessageKind.TEXT]
    if known != texts or len(posted) != len(texts) + len(wish.files):
        raise DraftAlreadyUsed("key_reused", reasons.refusal("key_reused"))
    return posted


def posted_with(conversation: Conversation, draft_key: str) -> list[Message]:
    """The messages that were posted with this draft key."""
    return list(_chain(conversation, draft_key).order_by("id")) if draft_key else []


def _chain(conversation: Conversation, draft_key: str) -> QuerySet[Message]:
    """All parts of the text that was posted with this key."""
    first = draft_key.partition(":")[0]
    parts = Q(draft_key=first) | Q(draft_key__startswith=f"{first[:56]}:")
    chain: QuerySet[Message] = conversation.messages.filter(parts)
    return chain


def _look_around(conversation: Conversation, user: User | None, seen_up_to: int | None) -> None:
    """Raises AnsweredMeanwhile if there is an answer that this agent had not seen."""
    if seen_up_to is None:
        return
    elsewhere = Q(direction=Direction.EVENT, event=EventCode.ANSWERED_ELSEWHERE)
    theirs = Q(direction=Direction.OUT) & ~Q(sent_by=user)
    later = conversation.messages.filter(elsewhere | theirs, id__gt=seen_up_to)
    gone = (MessageStatus.CANCELLED, MessageStatus.FAILED)
    newest = later.exclude(status__in=gone).select_related("sent_by").order_by("-id").first()
    if newest is not None:
        raise AnsweredMeanwhile("answered_meanwhile", _answered_words(newest), newest.pk)


def _answered_words(answer: Message) -> str:
    seconds = int((timezone.now() - answer.created_at).total_seconds())
    values = {"ago": ago_text(max(0, seconds))}
    if answer.sent_by is None:
        return _("Another program answered %(ago)s. Send anyway?") % values
    name = apart(answer.sent_by.display_name)
    return _("%(name)s answered %(ago)s. Send anyway?") % {**values, "name": name}


def take_back(*, message: Message, user: User) -> TakenBack:
    """Return a reply to the composer: cancel it if it is queued, discard it if it failed.

    If it was sent as several messages, take back all that are queued, with their files. Raises
    ReplyError if it is being sent or its state has changed.
    """
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        held = conversation.messages.filter(pk=message.pk, holds_queue=True)
        if held.filter(status=MessageStatus.FAILED).update(holds_queue=False):
            taken = [message]
        else:
            taken = _cancel_waiting(conversation, message)
        if rows.show_last_before(conversation, taken[-1]):
            conversation.save(update_fields=rows.LAST_MESSAGE_FIELDS)
        show_standing(change, conversation)
        rows.touch(change, conversation, *taken)
        files = replies.give_back(taken, user)
        text = "\n".join(row.text for row in taken if row.text)
        draft = drafts.put_draft(user, conversation, text, account_id=message.session_id)
        if files:
            draft_files.put_first(draft, files)
        wake_workers()
    return TakenBack(draft, files)


def _cancel_waiting(conversation: Conversation, message: Message) -> list[Message]:
    chain = conversation.messages.filter(pk=message.pk)
    if message.draft_key:
        chain = _chain(conversation, message.draft_key)
    context = quota.lock_context(message.session_id, conversation.contact.user_id)
    taken = []
    for row in chain.filter(status=MessageStatus.QUEUED).order_by("id"):
        queued = Message.objects.filter(pk=row.pk, status=MessageStatus.QUEUED)
        if queued.update(status=MessageStatus.CANCELLED, settled_at=timezone.now()):
            quota.give_back(conversation, context)
            taken.append(row)
    if not taken:
        raise reasons.not_cancelled(conversation.messages.only("status").get(pk=message.pk))
    return taken


def send_now(*, message: Message, user: User | None) -> None:
    """Send a reply that waits for WeChat's pace or for a trial. Raises ReplyError."""
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        waiting = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
        released = {"overrides_limits": True, "next_try_at": None, "error_code": ""}
        if not waiting.filter(error_code__in=("pace", THROTTLED)).update(**released):
            raise ReplyError("already_decided", reasons.refusal("already_decided"))
        rows.touch(change, conversation, message)
        wake_workers()
