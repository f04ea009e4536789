"""Says where a response from WeChat was cut off and messages may be missing.

WeChat may count as read what it has handed out, so nobody can fetch the rest. The session's page
and the conversations concerned keep a lasting line. Runs inside the caller's `announcing()`.
"""

from datetime import datetime, timedelta

from messaging.conversations.events import record_event
from messaging.models import Conversation, EventCode, Message, RawAnswer
from sessions_app.ilink.wire import Updates
from sessions_app.models import Context, Session, SessionEvent
from sessions_app.realtime.streams import Change

QUIET_FOR = timedelta(minutes=10)
"""Within this time a line that answers break off says enough."""
MAX_KEPT = 20
"""Answers of one session that are kept as bytes per hour; each has up to a MiB."""
FEW_PEOPLE = 3
"""A session with no more people than this may lack a message of any of them."""


def has_room(session: Session, *, at: datetime) -> bool:
    """Whether the bytes are kept: a gateway that is ill for hours must not fill the disk."""
    lately = RawAnswer.objects.filter(session=session, received_at__gt=at - timedelta(hours=1))
    return lately.count() < MAX_KEPT


def tell(session: Session, updates: Updates, *, at: datetime, change: Change) -> None:
    """One line on the session's page and in each conversation that may lack a message."""
    detail = "" if updates.missing is None else str(updates.missing)
    known = SessionEvent.objects.filter(session=session, kind=SessionEvent.Kind.BROKE_OFF)
    if not known.filter(at__gt=at - QUIET_FOR).exists():
        SessionEvent.objects.create(
            session=session, kind=SessionEvent.Kind.BROKE_OFF, at=at, detail=detail
        )
    for conversation in _concerned(session, updates):
        if not _was_told(conversation, at):
            record_event(change, conversation, EventCode.BROKE_OFF, detail=detail, at=at)


def _concerned(session: Session, updates: Updates) -> list[Conversation]:
    """Those of the people named behind the break; nobody named: of all who may have written."""
    named = set(updates.named)
    if not named:
        named = {one.from_user_id for one in updates.messages}
    people = Context.objects.filter(session=session).order_by("-received_at")
    known = list(people.values_list("user_id", flat=True)[: FEW_PEOPLE + 1])
    if len(known) <= FEW_PEOPLE:
        named |= set(known)
    rows = Conversation.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    return list(rows.filter(contact__user_id__in=named, home_team=session.team_id))


def _was_told(conversation: Conversation, at: datetime) -> bool:
    told = Message.objects.filter(conversation=conversation, event=EventCode.BROKE_OFF)
    return told.filter(created_at__gt=at - QUIET_FOR).exists()
