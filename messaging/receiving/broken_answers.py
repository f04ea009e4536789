"""Reports answers from WeChat that were cut off, so that messages may be missing.

WeChat may count messages as read once it has sent them, so the rest cannot be fetched. A line is
written on the session's page and in the conversations concerned. Runs inside the caller's
`announcing()`.
"""

from datetime import datetime, timedelta

from messaging.conversations import rows
from messaging.conversations.events import record_event
from messaging.models import Conversation, EventCode, Message, RawAnswer
from sessions_app.ilink.wire import Updates
from sessions_app.models import Context, Session, SessionEvent
from sessions_app.realtime.streams import Change

QUIET_FOR = timedelta(minutes=10)
"""One line is enough for this time; later breaks add no more."""
MAX_KEPT = 20
"""Answers kept per session and hour; each has up to 1 MiB."""
FEW_PEOPLE = 3
"""If a session has at most this many contacts, any of them may lack a message."""


def has_room(session: Session, *, at: datetime) -> bool:
    """Whether to keep the bytes: a gateway that is ill for hours must not fill the disk."""
    lately = RawAnswer.objects.filter(session=session, received_at__gt=at - timedelta(hours=1))
    return lately.count() < MAX_KEPT


def tell(session: Session, updates: Updates, *, at: datetime, change: Change) -> None:
    """Write one line on the session's page and in each conversation that may lack a message."""
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
    """Conversations of the contacts named in the broken part; if none is named, of all possible."""
    named = set(updates.named)
    if not named:
        named = {one.from_user_id for one in updates.messages}
    people = Context.objects.filter(session=session).order_by("-received_at")
    known = list(people.values_list("user_id", flat=True)[: FEW_PEOPLE + 1])
    if len(known) <= FEW_PEOPLE:
        named |= set(known)
    theirs = Conversation.objects.filter(contact__user_id__in=named, home_team=session.team_id)
    return rows.lock_many(theirs)


def _was_told(conversation: Conversation, at: datetime) -> bool:
    told = Message.objects.filter(conversation=conversation, event=EventCode.BROKE_OFF)
    return told.filter(created_at__gt=at - QUIET_FOR).exists()
