"""Notes and quiet lines of a thread: rows among the messages, for the team's eyes alone.

Runs inside the caller's `announcing()`, its thread locked. Never touches previews, unread counts
or the outbox; WeChat and the API never see these rows.
"""

from datetime import datetime

from django.utils import timezone

from messaging.inbound import MESSAGE_STREAM
from messaging.models import (
    Conversation,
    Direction,
    EventCode,
    Message,
    MessageStatus,
)
from sessions_app.models import Session, User
from sessions_app.realtime import Change, advance


def record_event(
    change: Change,
    thread: Conversation,
    code: EventCode | str,
    *,
    who: User | None = None,
    detail: str = "",
    at: datetime | None = None,
) -> Message:
    """One quiet line. `detail`: the name, label or ISO time that its sentence shows.

    `at`: when it happened, now if it is not given. Raises ValueError for an unknown code.
    """
    return _insert(
        change,
        thread,
        Direction.EVENT,
        event=EventCode(code).value,
        event_detail=detail,
        sent_by=who,
        at=at,
    )


def record_note(
    change: Change,
    thread: Conversation,
    *,
    text: str,
    who: User | None,
    draft_key: str | None = None,
) -> Message:
    """One internal note, as typed."""
    return _insert(change, thread, Direction.NOTE, text=text, sent_by=who, draft_key=draft_key)


def _insert(
    change: Change,
    thread: Conversation,
    direction: Direction,
    *,
    at: datetime | None = None,
    **columns: object,
) -> Message:
    number, now = advance(MESSAGE_STREAM), timezone.now()
    message = Message(
        id=number,
        conversation=thread,
        session_id=_session_id(thread),
        direction=direction,
        dedupe_key=f"{direction}:{number}",
        status=MessageStatus.RECEIVED,
        created_at=at or now,
        stored_at=now,
        **columns,
    )
    message.save(force_insert=True)
    change.touch(message, f"team:{thread.team_id}", f"conversation:{thread.pk}")
    return message


def _session_id(thread: Conversation) -> int:
    """The thread's route, else the session of its newest message, else one of its home team."""
    if thread.session_id is not None:
        return thread.session_id
    newest = thread.messages.order_by("-id").values_list("session", flat=True).first()
    if newest is not None:
        return newest
    return Session.objects.filter(team=thread.home_team_id).values_list("pk", flat=True)[:1].get()
