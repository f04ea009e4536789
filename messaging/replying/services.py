"""What agents do: reply, retry, discard, name a contact, mark as read. One transaction each.

Nothing here calls WeChat: the worker finds the rows and sends them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from messaging.conversations import rows
from messaging.conversations.errors import AccountChanged, ReplyError
from messaging.conversations.finding import folded_name
from messaging.conversations.standing import UNDECIDED, show_standing
from messaging.models import (
    MESSAGE_STREAM,
    Contact,
    Conversation,
    Direction,
    Message,
    MessageStatus,
    TeamContact,
)
from messaging.models.contact import NAME_MOST, NOTE_MOST
from messaging.reply_window import quota
from messaging.reply_window.reply_route import Candidate, find_route, speaker
from messaging.reply_window.routes import candidate
from messaging.replying import reasons
from sessions_app.models import Context, User
from sessions_app.monitoring import traces
from sessions_app.realtime.streams import Change, advance, announcing, wake_workers
from sessions_app.recording.actions import Action
from sessions_app.recording.record import record

MAY_GO_AGAIN = Q(holds_queue=True) | Q(status=MessageStatus.UNCONFIRMED, error_code="no_id")
"""Replies that an agent may still decide about; one without a receipt holds no other reply."""


def clean(text: str) -> str:
    """Normalize line ends and drop characters that databases or WeChat cannot carry."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "ignore").decode("utf-8").strip("\n")


def find_context(
    conversation: Conversation,
    *,
    session_name: str | None,
    override: bool,
    cost: int = 1,
    expected_id: int | None = None,
) -> Context:
    """The context that carries `cost` replies, locked until the count is written.

    `expected_id`: the account on the Send button, if the agent chose no other. Raises
    AccountChanged if the button would name another account now.
    """
    theirs = Context.objects.select_for_update(of=("self",), no_key=True).filter(
        user_id=conversation.contact.user_id, session__team=conversation.home_team_id
    )
    contexts = {one.session_id: one for one in theirs.select_related("session").order_by("pk")}
    candidates: list[Candidate] = [candidate(one) for one in contexts.values()]
    now = timezone.now()
    if session_name is None and expected_id is not None:
        session_name = _as_named(candidates, now, expected_id, override=override)
    route = find_route(candidates, now=now, session_name=session_name, override=override, cost=cost)
    if route.code or route.chosen is None:
        name = route.chosen.name if route.chosen else session_name or ""
        raise ReplyError(route.code, reasons.refusal(route.code, name), route.offer)
    return contexts[route.chosen.session_id]


def _as_named(
    candidates: Sequence[Candidate], now: datetime, expected_id: int, *, override: bool
) -> str | None:
    """The account's name if the button, rendered now, would still name it."""
    route = find_route(candidates, now=now, override=override)
    named = speaker(route, candidates)
    if named is None:
        return None
    if named.session_id != expected_id:
        code = "account_changed"
        raise AccountChanged(code, reasons.refusal(code, named.name), [named.name])
    return named.name


def queue_messages(
    conversation: Conversation, context: Context, messages: Sequence[Message], *, detail: str = ""
) -> None:
    """Write messages down to be sent through the session of `context`, and count them.

    Conversation and context are locked by the caller, who calls `show_standing` afterwards.
    `detail`: what the list shows of the last one if it has no text.
    """
    last = advance(MESSAGE_STREAM, len(messages))
    trace_id = traces.current_id() or traces.new_id()
    for number, message in enumerate(messages, start=last - len(messages) + 1):
        message.trace_id = trace_id
        message.id, message.dedupe_key = number, f"out:{number}"
        message.conversation, message.session = conversation, context.session
        message.bot_id = context.session.bot_id
        message.direction, message.status = Direction.OUT, MessageStatus.QUEUED
    Message.objects.bulk_create(messages)
    transaction.on_commit(partial(_say_queued, list(messages)))
    quota.count(conversation, context, len(messages))
    rows.show_last_message(conversation, messages[-1], detail)
    conversation.save(update_fields=rows.LAST_MESSAGE_FIELDS)


def _say_queued(messages: Sequence[Message]) -> None:
    for one in messages:
        traces.step(
            "reply queued",
            trace_id=one.trace_id,
            message_id=one.pk,
            conversation_id=one.conversation_id,
            session_id=one.session_id,
            kind=one.kind,
        )


def record_sent(
    action: Action, conversation: Conversation, context: Context, user: User | None, count: int
) -> None:
    """One row of the audit log for each send, however many messages it is; never the text."""
    account = context.session.name
    record(action, rows.subject_of(conversation), user=user, account=account, count=count)


def retry_message(*, message: Message, user: User | None) -> None:
    """Send again, once and with a new client id, what was refused, broke or has no receipt.

    Raises ReplyError.
    """
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        held = Message.objects.filter(MAY_GO_AGAIN, pk=message.pk)
        if not held.exists():
            raise ReplyError("already_decided", reasons.refusal("already_decided"))
        context = find_context(
            conversation, session_name=message.session.name, override=message.overrides_limits
        )
        held.update(
            status=MessageStatus.QUEUED,
            holds_queue=False,
            missing_receipt=False,
            error_code="",
            error_detail="",
            settled_at=None,
            next_try_at=None,
            release_at=None,
            bot_id=context.session.bot_id,
        )
        quota.count(conversation, context, 1)
        record_sent(Action.REPLY_SENT_AGAIN, conversation, context, user, 1)
        show_standing(change, conversation)
        rows.touch(change, conversation, message)
        wake_workers()


def send_anyway(*, message: Message, user: User | None) -> None:
    """Retry although our own count says no."""
    Message.objects.filter(MAY_GO_AGAIN, pk=message.pk).update(overrides_limits=True)
    message.overrides_limits = True
    retry_message(message=message, user=user)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a reply that did not go through: which are open to it, and columns."""

    is_open: Q
    columns: dict[str, object]


_DECIDED: dict[str, object] = {"holds_queue": False, "missing_receipt": False}
DISCARDED = Decision(UNDECIDED, _DECIDED)
ARRIVED = Decision(
    Q(status=MessageStatus.UNCONFIRMED),
    {**_DECIDED, "status": MessageStatus.SENT, "error_code": ""},
)


def discard_message(*, message: Message, user: User | None) -> None:
    """Leave the reply failed or unconfirmed, and release the contact's next replies."""
    with announcing() as change:
        decide(change, rows.lock(message.conversation_id), message, DISCARDED)


def mark_arrived(*, message: Message, user: User | None) -> None:
    """The agent knows that it arrived, even if it was discarded before."""
    with announcing() as change:
        decide(change, rows.lock(message.conversation_id), message, ARRIVED)


def decide(
    change: Change, conversation: Conversation, message: Message, decision: Decision
) -> None:
    """In a transaction that has locked the conversation. Raises ReplyError."""
    undecided = Message.objects.filter(decision.is_open, pk=message.pk)
    if not undecided.update(**decision.columns):
        raise ReplyError("already_decided", reasons.refusal("already_decided"))
    show_standing(change, conversation)
    rows.touch(change, conversation, message)
    wake_workers()


def cancel_message(*, message: Message, user: User | None) -> None:
    """Cancel a queued reply and give its count back.

    Raises ReplyError; its code says what the reply is by now.
    """
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        context = quota.lock_context(message.session_id, conversation.contact.user_id)
        queued = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
        if not queued.update(status=MessageStatus.CANCELLED, settled_at=timezone.now()):
            raise reasons.not_cancelled(Message.objects.only("status").get(pk=message.pk))
        quota.give_back(conversation, context)
        show_standing(change, conversation)
        rows.touch(change, conversation, message)
        wake_workers()


def rename_contact(*, contact: Contact, team_id: int, name: str, user: User | None) -> None:
    """Name a contact for one team; an empty name removes it.

    All conversations of the team with the contact show it at once.
    """
    with announcing() as change:
        words = _team_contact(contact, team_id)
        words.name = " ".join(clean(name).split())[:NAME_MOST]
        words.folded = folded_name(words.name)
        words.save(update_fields=["name", "folded"])
        _touch_all(change, words)


def write_contact_note(
    *, contact: Contact, team_id: int, note: str, user: User | None, seen: str | None = None
) -> bool:
    """Save a team's note about a contact.

    All conversations of the team with the contact show it at once. `seen`: the note that the writer
    saw. Returns False if it has changed since.
    """
    note = clean(note)[:NOTE_MOST]
    with announcing() as change:
        words = _team_contact(contact, team_id)
        if seen is not None and words.note not in (clean(seen), note):
            return False
        words.note = note
        words.save(update_fields=["note"])
        _touch_all(change, words)
    return True


def _team_contact(contact: Contact, team_id: int) -> TeamContact:
    """The team's name and note for a contact, locked."""
    locked = TeamContact.objects.select_for_update(no_key=True)
    return locked.get_or_create(contact=contact, team_id=team_id)[0]


def _touch_all(change: Change, words: TeamContact) -> None:
    for conversation in Conversation.objects.filter(contact=words.contact_id, team=words.team_id):
        rows.touch(change, conversation)


def mark_read(*, conversation: Conversation, up_to: int, user: User | None) -> None:
    """Mark messages up to this one as read. Never moves back."""
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        if up_to <= locked.read_up_to and not locked.unread:
            return
        seen = max(up_to, locked.read_up_to)
        later = locked.messages.filter(id__gt=seen, direction=Direction.IN).count()
        if (seen, later) == (locked.read_up_to, locked.unread):
            return
        locked.read_up_to, locked.unread = seen, later
        locked.save(update_fields=["read_up_to", "unread"])
        rows.touch(change, locked)
