"""A single -14 is a suspicion. Who met it writes it down; notifystart and one poll decide.

Rows only; the wire is asked by the poll loop (`poller`), or by `supervisor` where nobody polls.
While a verdict is open no other reply of the session goes: a dead token would use them all up.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.models import Conversation, Message, MessageStatus
from sessions_app.models import SENDING_STATES, Session, SessionState
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.sessions.services import SIGNED_OUT, record_state

IN_DOUBT = "in_doubt"
"""The code of a reply that met the suspicion, until a verdict against the session is known."""
HOLDS_FOR = timedelta(seconds=60)
"""A verdict that does not come, with WeChat away, keeps replies no longer than this."""


def begin(change: Change, session_id: int, generation: int) -> None:
    """Some call was answered -14. The first one counts; a newer binding is not touched."""
    rows = Session.objects.filter(
        pk=session_id, generation=generation, doubted_at=None, state__in=SENDING_STATES
    )
    if rows.exclude(encrypted_token="").update(doubted_at=timezone.now()):
        wake_workers()


def suspect(session_id: int, generation: int) -> None:
    """`begin` in a transaction of its own, for calls that leave no other trace."""
    with announcing() as change:
        begin(change, session_id, generation)


def end(session_id: int, generation: int) -> None:
    """The session lives; its replies go on. The one that was refused stays so."""
    rows = Session.objects.filter(pk=session_id, generation=generation)
    with announcing() as change:
        if not rows.exclude(doubted_at=None).update(doubted_at=None):
            return
        for message in _met(session_id).select_related("conversation"):
            team_id = message.conversation.team_id
            change.touch(message, f"team:{team_id}", f"conversation:{message.conversation_id}")
        wake_workers()


def expire(change: Change, session_id: int, generation: int) -> None:
    """The token of this binding is dead. A newer binding is not touched."""
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
    """Replies that met the first -14 say by now what it meant."""
    met = _met(session.pk)
    conversations = Conversation.objects.select_for_update(no_key=True).order_by("pk")
    for conversation in conversations.filter(pk__in=met.values("conversation")):
        for message in met.filter(conversation=conversation):
            Message.objects.filter(pk=message.pk).update(error_code="session_offline")
            change.touch(message, f"team:{conversation.team_id}", f"conversation:{conversation.pk}")


def _met(session_id: int) -> QuerySet[Message]:
    """Replies that were answered -14 and that no agent has decided about yet."""
    rows = Message.objects.filter(session=session_id, error_code=IN_DOUBT, holds_queue=True)
    return rows.filter(status=MessageStatus.FAILED)


def open_where_nobody_polls() -> list[Session]:
    """Sessions in doubt that no loop of ours asks about: paused, or received elsewhere."""
    unpolled = (SessionState.PAUSED, SessionState.POLLED_ELSEWHERE)
    rows = Session.objects.filter(state__in=unpolled).exclude(doubted_at=None)
    return list(rows.exclude(encrypted_token=""))


def holds_replies(now: datetime, prefix: str = "session__") -> Q:
    """The condition on messages whose session waits for a verdict."""
    return Q(**{f"{prefix}doubted_at__gt": now - HOLDS_FOR})
