"""Records what an action changes, in the action's transaction, so that it can be undone."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from messaging.conversations import labelling
from messaging.models import MESSAGE_STREAM, Conversation, EventCode, WorkAction, WorkChange
from sessions_app.models import User
from sessions_app.realtime.streams import numbers_of

UNDO_FOR = timedelta(minutes=10)
"""How long an action can be undone; after that its record is deleted."""

State = dict[str, Any]

COLUMNS = ("status", "snoozed_until", "missed_at", "unread", "team_id", "assignee_id")


def begin(*, user: User, code: EventCode) -> WorkAction:
    """Start an action that can be undone; `work` records its changes. Deletes old actions."""
    old = WorkAction.objects.filter(user=user, created_at__lt=timezone.now() - UNDO_FOR)
    old.delete()
    return WorkAction.objects.create(user=user, code=code.value)


def states(conversations: Collection[Conversation]) -> dict[int, State]:
    """The state of these conversations that an action may change, as JSON values."""
    labels = labelling.carried(conversations)
    return {
        conversation.pk: {
            **{column: to_json(getattr(conversation, column)) for column in COLUMNS},
            "labels": labels[conversation.pk],
        }
        for conversation in conversations
    }


@contextmanager
def noting(action: WorkAction | None, conversations: Sequence[Conversation]) -> Iterator[None]:
    """Note for the action what the block changes of these locked conversations; None: nothing."""
    before = states(conversations) if action is not None else {}
    yield
    if action is not None:
        _note(action, conversations, before)


def _note(
    action: WorkAction, conversations: Sequence[Conversation], before: dict[int, State]
) -> None:
    """Record what differs from `before`. Call it at the end of the action's transaction."""
    number, now = numbers_of([MESSAGE_STREAM])[MESSAGE_STREAM], states(conversations)
    rows = []
    for conversation in conversations:
        old, new = before[conversation.pk], now[conversation.pk]
        changed = [name for name in old if old[name] != new[name]]
        if changed:
            old_part = {name: old[name] for name in changed}
            # Messages that are read meanwhile must not become unread again.
            old_part["read_up_to"] = conversation.read_up_to
            after = {name: new[name] for name in changed}
            rows.append(
                WorkChange(
                    action=action,
                    conversation=conversation,
                    before=old_part,
                    after=after,
                    number=number,
                )
            )
    WorkChange.objects.bulk_create(rows)


def to_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def from_json(column: str, value: Any) -> Any:
    is_moment = column in ("snoozed_until", "missed_at") and value is not None
    return parse_datetime(value) if is_moment else value
