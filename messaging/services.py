"""What agents do: reply, retry, discard, name a person, mark read. One transaction each.

Nothing here calls WeChat: a reply is a row that the worker finds.
"""

from datetime import datetime

from django.db.models import F
from django.utils import timezone

from messaging import arrivals, counting, outbox, reasons
from messaging.errors import ReplyError
from messaging.inbound import MESSAGE_STREAM
from messaging.models import (
    Contact,
    Conversation,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
)
from messaging.reply_route import Candidate, find_route
from sessions_app.models import Context, User
from sessions_app.realtime import Change, advance, announcing, wake_workers


def clean(text: str) -> str:
    """As typed, with plain line ends, without what no database and no wire can carry."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "ignore").decode("utf-8").strip("\n")


def find_context(
    thread: Conversation, *, session_name: str | None, override: bool, cost: int = 1
) -> Context:
    """The context that carries `cost` replies, locked until its count is written."""
    rows = Context.objects.select_for_update(of=("self",), no_key=True).filter(
        user_id=thread.contact.user_id, session__team=thread.home_team_id
    )
    contexts = {one.session_id: one for one in rows.select_related("session").order_by("pk")}
    candidates: list[Candidate] = [outbox.candidate(one) for one in contexts.values()]
    route = find_route(
        candidates, now=timezone.now(), session_name=session_name, override=override, cost=cost
    )
    if route.code or route.chosen is None:
        name = route.chosen.name if route.chosen else session_name or ""
        raise ReplyError(route.code, reasons.refusal(route.code, name), route.offer)
    return contexts[route.chosen.session_id]


def queue_text(
    thread: Conversation,
    context: Context,
    text: str,
    draft_key: str,
    user: User | None,
    *,
    override: bool,
    quote_of: Message | None = None,
    release_at: datetime | None = None,
    kind: MessageKind = MessageKind.TEXT,
    detail: str = "",
) -> Message:
    """Write one message down to be sent, and count it. The caller holds the thread's lock.

    `release_at`: not before. `detail`: what the list shows of a `kind` that has no text.
    """
    number = advance(MESSAGE_STREAM)
    message = Message(
        id=number,
        conversation=thread,
        session=context.session,
        bot_id=context.session.bot_id,
        direction=Direction.OUT,
        kind=kind,
        text=text,
        quote_of=quote_of,
        quote_text=quote_of.text if quote_of else "",
        dedupe_key=f"out:{number}",
        status=MessageStatus.QUEUED,
        overrides_limits=override,
        sent_by=user,
        draft_key=draft_key or None,
        release_at=release_at,
    )
    message.save(force_insert=True)
    _count(context, thread)
    arrivals.show_last(thread, message, detail)
    thread.save(update_fields=arrivals.LAST_FIELDS)
    return message


def _count(context: Context, thread: Conversation) -> None:
    """A reply counts when it is queued."""
    Context.objects.filter(pk=context.pk).update(
        replies_used=F("replies_used") + 1, last_reply_at=timezone.now(), unfiled=True
    )
    counting.show_count(thread, context.session_id)


def retry_message(*, message: Message, user: User | None) -> None:
    """Send again what was refused or broke, once, with a new client id. Raises ReplyError."""
    with announcing() as change:
        thread = outbox.lock_thread(message.conversation_id)
        held = Message.objects.filter(pk=message.pk, holds_queue=True)
        if not held.exists():
            raise ReplyError("already_decided", reasons.refusal("already_decided"))
        context = find_context(
            thread, session_name=message.session.name, override=message.overrides_limits
        )
        held.update(
            status=MessageStatus.QUEUED,
            holds_queue=False,
            error_code="",
            error_detail="",
            settled_at=None,
            next_try_at=None,
            release_at=None,
            bot_id=context.session.bot_id,
        )
        _count(context, thread)
        counting.show_waiting(thread)
        announce(change, message, thread)
        wake_workers()


def send_anyway(*, message: Message, user: User | None) -> None:
    """Retry in spite of our own count."""
    Message.objects.filter(pk=message.pk, holds_queue=True).update(overrides_limits=True)
    message.overrides_limits = True
    retry_message(message=message, user=user)


def discard_message(*, message: Message, user: User | None) -> None:
    """Leave a failed message as it is; the person's next ones go on."""
    _decide(message, {"holds_queue": False})


def mark_arrived(*, message: Message, user: User | None) -> None:
    """The agent knows that it arrived, from the person perhaps."""
    if message.status != MessageStatus.UNCONFIRMED:
        raise ReplyError("already_decided", reasons.refusal("already_decided"))
    _decide(message, {"holds_queue": False, "status": MessageStatus.SENT, "error_code": ""})


def _decide(message: Message, columns: dict[str, object]) -> None:
    with announcing() as change:
        thread = outbox.lock_thread(message.conversation_id)
        held = Message.objects.filter(pk=message.pk, holds_queue=True)
        if not held.update(**columns):
            raise ReplyError("already_decided", reasons.refusal("already_decided"))
        announce(change, message, thread)
        wake_workers()


def cancel_message(*, message: Message, user: User | None) -> None:
    """Take back what is still queued; its count is given back. Raises ReplyError."""
    with announcing() as change:
        thread = outbox.lock_thread(message.conversation_id)
        outbox.lock_context(message)
        queued = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
        if not queued.update(status=MessageStatus.CANCELLED, settled_at=timezone.now()):
            raise ReplyError("already_sent", reasons.refusal("already_sent"))
        counting.give_count_back(message)
        counting.show_waiting(thread)
        announce(change, message, thread)
        wake_workers()


def rename_contact(*, contact: Contact, name: str, user: User | None) -> None:
    """Name a person; an empty name is the number again. Seen in every thread at once."""
    with announcing() as change:
        contact.name = " ".join(clean(name).split())[:80]
        contact.save(update_fields=["name"])
        for thread in contact.conversations.all():
            change.touch(thread, f"team:{thread.team_id}", f"conversation:{thread.pk}")


def mark_read(*, conversation: Conversation, up_to: int, user: User | None) -> None:
    """Everything up to this message was seen. Never goes back."""
    with announcing() as change:
        thread = outbox.lock_thread(conversation.pk)
        if up_to <= thread.read_up_to and not thread.unread:
            return
        seen = max(up_to, thread.read_up_to)
        later = thread.messages.filter(id__gt=seen, direction=Direction.IN).count()
        if (seen, later) == (thread.read_up_to, thread.unread):
            return
        thread.read_up_to, thread.unread = seen, later
        thread.save(update_fields=["read_up_to", "unread"])
        change.touch(thread, f"team:{thread.team_id}", f"conversation:{thread.pk}")


def announce(change: Change, message: Message, thread: Conversation) -> None:
    topic = f"conversation:{thread.pk}"
    change.touch(message, f"team:{thread.team_id}", topic)
    change.touch(thread, f"team:{thread.team_id}", topic)
