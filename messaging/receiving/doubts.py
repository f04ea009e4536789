"""Handles error -14 (session expired). One -14 is only a suspicion: notifystart and a poll decide.

Changes rows only. `poller` asks WeChat, or `supervisor` if nobody polls. Until the verdict no other
reply of the session is sent, since a dead token would make them all fail.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.conversations import rows
from messaging.models import Conversation, Message, MessageStatus
from sessions_app.models import SENDING_STATES, Session, SessionState
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.sessions.services import SIGNED_OUT, record_state

IN_DOUBT = "in_doubt"
"""Error code of a reply that was answered -14, until the session is known to have expired."""
HOLDS_FOR = timedelta(seconds=60)
"""If there is no verdict because WeChat is away, replies are held no longer than this."""


def begin(change: Change, session_id: int, generation: int) -> None:
    """Record that a call was answered -14, for the first such call and the current binding only."""
    rows = Session.objects.filter(
        pk=session_id, generation=generation, doubted_at=None, state__in=SENDING_STATES
    )
    if rows.exclude(encrypted_token="").update(doubted_at=timezone.now()):
        wake_workers()


def suspect(session_id: int, generation: int) -> None:
    """`begin` in its own transaction, for calls that write nothing else."""
    with announcing() as change:
        begin(change, session_id, generation)


def end(session_id: int, generation: int) -> None:
    """The session is alive: send its replies again. The refused reply stays failed."""
    bound = Session.objects.filter(pk=session_id, generation=generation)
    with announcing() as change:
        if not bound.exclude(doubted_at=None).update(doubted_at=None):
            return
        for message in _met(session_id).select_related("conversation"):
            rows.touch_messages(change, message.conversation, message)
        wake_workers()


def expire(change: Change, session_id: int, generation: int) -> None:
    """Mark the session as expired, unless it was bound again meanwhile."""
    rows = Session.objects.select_for_update(no_key=True)
    session = rows.filter(pk=session_id, generation=generation).first()
    if session is None or session.state == SessionState.EXPIRED or not session.encrypted_token:
        return
    session.doubted_at = None
    session.save(update_fields=["doubted_at"])
    record_state(change, session, SessionState.EXPIRED, code=SIGNED_OUT)
    _name_the_cause(change, session)
    wake_workers()


def _name_the_cause(change: Change, session: Session) -> None:
    """Replace the code of replies that were answered -14: the cause is known now."""
    met = _met(session.pk)
    with_them = Conversation.objects.filter(pk__in=met.values("conversation"))
    for conversation in rows.lock_many(with_them):
        for message in met.filter(conversation=conversation):
            Message.objects.filter(pk=message.pk).update(error_code="session_offline")
            rows.touch_messages(change, conversation, message)


def _met(session_id: int) -> QuerySet[Message]:
    """Replies that were answered -14 and that no agent has decided about yet."""
    rows = Message.objects.filter(session=session_id, error_code=IN_DOUBT, holds_queue=True)
    return rows.filter(status=MessageStatus.FAILED)


def open_where_nobody_polls() -> list[Session]:
    """Doubted sessions that this worker does not poll: paused, or received elsewhere."""
    unpolled = (SessionState.PAUSED, SessionState.POLLED_ELSEWHERE)
    rows = Session.objects.filter(state__in=unpolled).exclude(doubted_at=None)
    return list(rows.exclude(encrypted_token=""))


def holds_replies(now: datetime, prefix: str = "session__") -> Q:
    """A condition for messages whose session waits for a verdict."""
    around = (now - HOLDS_FOR, now + HOLDS_FOR)  # later than now: the clock was set back
    return Q(**{f"{prefix}doubted_at__range": around})
