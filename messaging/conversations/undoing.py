"""Undoes an action: restores each conversation unless it has changed since.

A new message counts as a change: a resolved conversation that it reopened stays open. Undoing
twice does it once. Only the user who acted may undo, and only where they may still answer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from messaging.conversations import labelling, rows, undo_notes, work
from messaging.conversations.access import conversations_of
from messaging.conversations.events import record_events
from messaging.conversations.rows import show_assignee
from messaging.models import (
    Conversation,
    Direction,
    EventCode,
    Message,
    WorkAction,
    WorkChange,
)
from sessions_app.database.batches import update_rows
from sessions_app.models import Team, User
from sessions_app.people.roles import Capability, answerers_of, may
from sessions_app.realtime.streams import Change, announcing
from sessions_app.recording.actions import Action
from sessions_app.recording.record import record_all

STATUS_EVENTS = frozenset(
    {EventCode.SNOOZED, EventCode.WOKEN, EventCode.RESOLVED, EventCode.REOPENED}
)
OWNER_EVENTS = frozenset({EventCode.ASSIGNED, EventCode.UNASSIGNED, EventCode.RELEASED})
LABEL_EVENTS = frozenset({EventCode.LABELLED, EventCode.UNLABELLED})
TEAM_EVENTS = frozenset({EventCode.TRANSFERRED})

EVENTS_ABOUT: dict[str, frozenset[EventCode]] = {
    "status": STATUS_EVENTS,
    "snoozed_until": STATUS_EVENTS,
    "assignee_id": OWNER_EVENTS,
    "labels": LABEL_EVENTS,
    "team_id": TEAM_EVENTS,
}
"""Events that show that somebody changed this field of a conversation."""


class CannotUndoError(Exception):
    """The user has no such action, or it is too old."""


@dataclass(frozen=True, slots=True)
class Undone:
    """How many conversations were restored, and how many were left as they are."""

    count: int
    kept: int


def undo(*, action_id: int, user: User) -> Undone:
    """Restore what the action changed. Repeating it returns the same. Raises CannotUndoError."""
    action = WorkAction.objects.filter(pk=action_id, user=user).first()
    if action is None or action.created_at < timezone.now() - undo_notes.UNDO_FOR:
        raise CannotUndoError
    ids = list(action.changes.order_by("conversation").values_list("conversation", flat=True))
    work.in_batches(ids, lambda batch: _undo_batch(action, batch, user))
    action.refresh_from_db()
    return Undone(action.undone_count, action.kept_count)


def can_be_undone(action: WorkAction) -> bool:
    """True if the user may still see and answer something that the action changed."""
    if not may(action.user, Capability.ANSWER):
        return False
    mine = conversations_of(action.user).filter(pk__in=action.changes.values("conversation"))
    return mine.exists()


def _undo_batch(action: WorkAction, ids: list[int], user: User) -> int:
    with announcing() as change:
        conversations = work.locked(ids)
        # Read while the conversations are locked: a concurrent undo deletes these rows.
        notes = {row.conversation_id: row for row in action.changes.filter(conversation__in=ids)}
        left = [conversation for conversation in conversations if conversation.pk in notes]
        back = _unchanged(left, notes, user)
        _restore(change, back, notes)
        record_events(change, dict.fromkeys(back, action.code), EventCode.UNDONE, who=user)
        subjects = map(rows.subject_of, back)
        record_all(Action.WORK_UNDONE, subjects, user=user, undone=action.code)
        for conversation in back:
            rows.touch(change, conversation)
        WorkChange.objects.filter(pk__in=[note.pk for note in notes.values()]).delete()
        WorkAction.objects.filter(pk=action.pk).update(
            undone_count=F("undone_count") + len(back),
            kept_count=F("kept_count") + len(notes) - len(back),
        )
    return len(back)


def _unchanged(
    conversations: Sequence[Conversation], rows: dict[int, WorkChange], user: User
) -> list[Conversation]:
    """Those that have not changed since and that the user may still work on."""
    mine = set(
        conversations_of(user)
        .filter(pk__in=[conversation.pk for conversation in conversations])
        .values_list("pk", flat=True)
    )
    now, later = undo_notes.states(conversations), _later_events(rows)
    return [
        conversation
        for conversation in conversations
        if conversation.pk in mine
        and all(now[conversation.pk][name] == value for name, value in _told(rows[conversation.pk]))
        and not later.get(conversation.pk, frozenset()) & _events_about(rows[conversation.pk].after)
        and _is_possible(conversation, rows[conversation.pk].before)
    ]


def _told(row: WorkChange) -> Collection[tuple[str, object]]:
    """What the action changed, except for reading: that does not prevent an undo."""
    return [(name, value) for name, value in row.after.items() if name != "unread"]


def _events_about(names: Collection[str]) -> frozenset[EventCode]:
    return frozenset().union(*(EVENTS_ABOUT.get(name, frozenset()) for name in names))


def _later_events(rows: dict[int, WorkChange]) -> dict[int, set[EventCode]]:
    """Conversation id → events after the action, by anybody."""
    if not rows:
        return {}
    first = min(row.number for row in rows.values())
    lines = Message.objects.filter(
        conversation__in=list(rows), direction=Direction.EVENT, pk__gt=first
    )
    later: dict[int, set[EventCode]] = {}
    for pk, key, code, detail in lines.values_list(
        "pk", "conversation_id", "event", "event_detail"
    ):
        done = detail if code == EventCode.UNDONE else code
        if pk > rows[key].number and done in EventCode.values:
            later.setdefault(key, set()).add(EventCode(done))
    return later


def _is_possible(conversation: Conversation, before: undo_notes.State) -> bool:
    """True if the team still exists and the former assignee may still answer there."""
    team = before.get("team_id", conversation.team_id)
    assignee = before.get("assignee_id")
    if not Team.objects.filter(pk=team).exists():
        return False
    return assignee is None or answerers_of([team]).filter(pk=assignee).exists()


def _restore(
    change: Change, conversations: Sequence[Conversation], rows: dict[int, WorkChange]
) -> None:
    labels: dict[Conversation, list[str]] = {}
    for conversation in conversations:
        before = dict(rows[conversation.pk].before)
        read_up_to = before.pop("read_up_to")
        if conversation.read_up_to != read_up_to or conversation.unread:
            before.pop("unread", None)
        if "labels" in before:
            labels[conversation] = before.pop("labels")
        if before.get("team_id", conversation.team_id) != conversation.team_id:
            work.leave_team(change, conversation)
        if "assignee_id" in before:
            show_assignee(change, conversation, before.pop("assignee_id"))
        for column, value in before.items():
            setattr(conversation, column, undo_notes.from_json(column, value))
    update_rows(
        conversations, ["status", "snoozed_until", "missed_at", "unread", "team", "assignee"]
    )
    labelling.put_back(labels)
