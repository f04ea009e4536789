"""A program's decision about a reply that did not go through: let it go, or say that it arrived.

The acts are those of the page's buttons (`services.decide`); here is what makes them safe to
repeat, and the words for a message that has nothing to dismiss.
"""

from messaging.conversations import rows
from messaging.conversations.errors import ReplyError
from messaging.conversations.standing import UNDECIDED
from messaging.models import Direction, Message, MessageStatus
from messaging.replying import reasons, services
from sessions_app.models import User
from sessions_app.realtime.streams import announcing


def dismiss_message(*, message: Message, user: User | None, arrived: bool = False) -> None:
    """Release the contact's later replies; nothing is sent again. Repeating it changes nothing.

    `arrived`: the contact has it. Raises ReplyError unless it is failed or unconfirmed.
    """
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        now = Message.objects.only(*_READ).get(pk=message.pk)
        if code := _refusal(now, arrived=arrived):
            raise ReplyError(code, reasons.refusal(code))
        if arrived and now.status == MessageStatus.UNCONFIRMED:
            services.decide(change, conversation, now, services.ARRIVED)
        elif Message.objects.filter(UNDECIDED, pk=now.pk).exists():
            services.decide(change, conversation, now, services.DISCARDED)


_READ = (
    "conversation", "direction", "status", "error_code", "holds_queue", "wire_id", "sent_elsewhere"
)  # fmt: skip


def _refusal(message: Message, *, arrived: bool) -> str:
    """Why there is nothing to dismiss; "" if there is, or if it was dismissed before."""
    if message.direction != Direction.OUT:
        return "not_outgoing"
    match message.status:
        case MessageStatus.FAILED:
            return "already_failed" if arrived else ""
        case MessageStatus.UNCONFIRMED:
            return ""
        case MessageStatus.SENT:
            return "" if arrived or _was_said_to_have_arrived(message) else "already_sent"
        case MessageStatus.CANCELLED:
            return "already_cancelled"
        case MessageStatus.SENDING:
            return "being_sent"
    return "still_queued"


def _was_said_to_have_arrived(message: Message) -> bool:
    """True for a reply that a member confirmed: WeChat's confirmation comes with an id."""
    return not message.wire_id and not message.sent_elsewhere
