"""Notes and event lines of a conversation: rows among its messages that only the team sees.

Runs inside the caller's `announcing()`, which has locked the conversation. Does not change
previews, unread counts or the outbox. WeChat and the API never get these rows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from messaging.conversations import rows
from messaging.models import (
    MESSAGE_STREAM,
    Conversation,
    Direction,
    EventCode,
    Message,
    MessageStatus,
)
from sessions_app.models import Session, User
from sessions_app.realtime.streams import Change, advance


def record_event(
    change: Change,
    conversation: Conversation,
    code: EventCode | str,
    *,
    who: User | None = None,
    detail: str = "",
    at: datetime | None = None,
) -> Message:
    """Write one event line. `detail`: the name, label or ISO time that its sentence shows.

    `at`: when it happened, by default now. Raises ValueError for an unknown code.
    """
    return _insert(
        change,
        conversation,
        Direction.EVENT,
        event=EventCode(code).value,
        event_detail=detail,
        sent_by=who,
        at=at,
    )


def record_events(
    change: Change,
    details: Mapping[Conversation, str],
    code: EventCode | str,
    *,
    who: User | None = None,
) -> list[Message]:
    """Write the same event line in many conversations, each with its own detail, in one insert."""
    if not details:
        return []
    last, now = advance(MESSAGE_STREAM, len(details)), timezone.now()
    lines = [
        _row(
            conversation,
            number,
            Direction.EVENT,
            now,
            event=EventCode(code).value,
            event_detail=detail,
            sent_by=who,
        )
        for number, (conversation, detail) in enumerate(
            details.items(), start=last - len(details) + 1
        )
    ]
    Message.objects.bulk_create(lines)
    for line, conversation in zip(lines, details, strict=True):
        rows.touch_messages(change, conversation, line)
    return lines


def record_note(
    change: Change,
    conversation: Conversation,
    *,
    text: str,
    who: User | None,
    draft_key: str | None = None,
) -> Message:
    """Write an internal note, as typed."""
    return _insert(
        change, conversation, Direction.NOTE, text=text, sent_by=who, draft_key=draft_key
    )


def _insert(
    change: Change,
    conversation: Conversation,
    direction: Direction,
    *,
    at: datetime | None = None,
    **columns: Any,
) -> Message:
    number, now = advance(MESSAGE_STREAM), timezone.now()
    message = _row(conversation, number, direction, now, created_at=at or now, **columns)
    message.save(force_insert=True)
    rows.touch_messages(change, conversation, message)
    return message


def _row(
    conversation: Conversation, number: int, direction: Direction, now: datetime, **columns: Any
) -> Message:
    return Message(
        id=number,
        conversation=conversation,
        session_id=_session_id(conversation),
        direction=direction,
        dedupe_key=f"{direction}:{number}",
        status=MessageStatus.RECEIVED,
        **{"created_at": now, "stored_at": now, **columns},
    )


def _session_id(conversation: Conversation) -> int:
    """The conversation's route, else its newest message's session, else one of its home team."""
    if conversation.session_id is not None:
        return conversation.session_id
    newest = conversation.messages.order_by("-id").values_list("session", flat=True).first()
    if newest is not None:
        return newest
    return (
        Session.objects.filter(team=conversation.home_team_id)
        .values_list("pk", flat=True)[:1]
        .get()
    )
