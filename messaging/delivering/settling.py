"""Stores what became of a reply: its status, its last try, its conversation, and the figures."""

from django.db import transaction
from django.utils import timezone

from messaging.conversations import rows
from messaging.conversations.standing import show_standing
from messaging.delivering.locking import LockedReply
from messaging.models import Message, MessageStatus, SendAttempt
from messaging.reply_window import quota
from sessions_app.monitoring import meters, traces
from sessions_app.realtime.streams import Change


def settle(
    change: Change,
    reply: LockedReply,
    status: MessageStatus,
    code: str = "",
    detail: str = "",
    *,
    holds: bool = False,
    give_back: bool = False,
) -> None:
    """Store the fate of a locked reply and of its last try, and show it.

    `holds`: later replies of the conversation wait until an agent decides about this one.
    `give_back`: it does not count against the quota after all.
    """
    message, now = reply.message, timezone.now()
    _count(message, status, code)
    message.status = status
    message.error_code, message.error_detail = code, detail[:400]
    message.holds_queue, message.settled_at = holds, now
    message.missing_receipt = code == "no_id" and message.session.gives_receipts
    message.claimed_by, message.next_try_at = "", None
    message.save(
        update_fields=[
            "status", "error_code", "error_detail", "holds_queue", "settled_at",
            "claimed_by", "next_try_at", "wire_id", "missing_receipt",
        ]
    )  # fmt: skip
    SendAttempt.objects.filter(message=message, client_id=message.client_id).update(
        finished_at=now, outcome=code or status
    )
    if give_back:
        quota.give_back(message.conversation, reply.context)
    show_standing(change, message.conversation)
    rows.touch(change, message.conversation, message)


def _count(message: Message, status: MessageStatus, code: str) -> None:
    """Count an outcome once it is committed, and write the last line of its way."""

    def count() -> None:
        meters.MESSAGES_SENT.labels(status.value).inc()
        if status == MessageStatus.FAILED:
            meters.REPLIES_REFUSED.labels(code or "unknown").inc()
        traces.step(
            f"reply {status.value}",
            trace_id=message.trace_id or "",
            message_id=message.pk,
            conversation_id=message.conversation_id,
            session_id=message.session_id,
            outcome=status.value,
            code=code,
        )

    transaction.on_commit(count)
