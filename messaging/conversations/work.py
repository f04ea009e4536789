"""Actions on whole conversations: assign, label, snooze, resolve, reopen, transfer.

Each handles any number of conversations in one transaction and writes an event line for each
change. The caller has got the keys from `access`. Conversations that need no change are not
counted. With an `action`, changes are recorded so that `undoing` can restore them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.utils import timezone

from messaging.conversations import labelling, rows, undo_notes
from messaging.conversations.events import record_events
from messaging.models import Conversation, ConversationStatus, Departure, WorkAction
from sessions_app.database.batches import update_rows
from sessions_app.models import Team, User
from sessions_app.people.roles import answerers_of
from sessions_app.realtime.streams import Change, announcing
from sessions_app.recording.actions import Action
from sessions_app.recording.record import record_all

BATCH = 200
"""Conversations per transaction. Incoming messages wait for one transaction at most."""


_RECORDED = {
    "assigned": Action.CONVERSATION_ASSIGNED,
    "unassigned": Action.CONVERSATION_UNASSIGNED,
    "released": Action.CONVERSATION_UNASSIGNED,
    "transferred": Action.CONVERSATION_TRANSFERRED,
    "resolved": Action.CONVERSATION_RESOLVED,
}
"""Event code → what the audit log says; other events are on the conversation alone."""


class WorkError(Exception):
    """`code`: past (the wake-up time is over), no_agent (the assignee may not answer there)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Keep(Enum):
    """Marks a value that is not to be changed."""

    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Edit:
    """Several changes of one conversation; None and KEEP mean no change."""

    status: ConversationStatus | None = None
    snoozed_until: datetime | None = None
    assignee: User | Keep | None = Keep.KEEP
    labels: Sequence[str] | None = None
    team: Team | None = None


def assign(
    *,
    ids: Collection[int],
    assignee: User | None,
    user: User | None,
    action: WorkAction | None = None,
) -> int:
    """Assign conversations, or unassign them. Skips teams in which the assignee may not answer."""
    with _working(ids, action) as (change, conversations):
        return assign_locked(change, conversations, assignee, user)


def label(
    *,
    ids: Collection[int],
    user: User | None,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    action: WorkAction | None = None,
) -> int:
    """Add and remove labels by name. Unknown names become new labels of the team."""
    with _working(ids, action) as (change, conversations):
        added = labelling.add(change, conversations, add, user)
        removed = labelling.remove(change, conversations, remove, user)
        return len(added | removed)


def snooze(
    *,
    ids: Collection[int],
    until: datetime,
    user: User | None,
    action: WorkAction | None = None,
) -> int:
    """Snooze until a time or until the contact writes. Raises WorkError."""
    if until <= timezone.now():
        raise WorkError("past")
    with _working(ids, action) as (change, conversations):
        return _snooze(change, conversations, until, user)


def resolve(*, ids: Collection[int], user: User | None, action: WorkAction | None = None) -> int:
    """Resolve; if the contact wrote last, the conversation counts as missed."""
    with _working(ids, action) as (change, conversations):
        return resolve_locked(change, conversations, user)


def reopen(*, ids: Collection[int], user: User | None, action: WorkAction | None = None) -> int:
    """Reopen snoozed or resolved conversations."""
    with _working(ids, action) as (change, conversations):
        return reopen_locked(change, conversations, "reopened", user)


def transfer(
    *, ids: Collection[int], team: Team, user: User | None, action: WorkAction | None = None
) -> int:
    """Move to another team, which alone can see and answer it from now on."""
    with _working(ids, action) as (change, conversations):
        return _transfer(change, conversations, team, user)


def edit(*, conversation: Conversation, edit: Edit, user: User | None) -> None:
    """Apply all changes or none. Raises WorkError."""
    if edit.snoozed_until is not None and edit.snoozed_until <= timezone.now():
        raise WorkError("past")
    with announcing() as change:
        conversations = locked([conversation.pk])
        if edit.team is not None:
            _transfer(change, conversations, edit.team, user)
        if not isinstance(edit.assignee, Keep):
            if edit.assignee is not None and not _may_take(edit.assignee, conversations[0].team_id):
                raise WorkError("no_agent")
            assign_locked(change, conversations, edit.assignee, user)
        if edit.labels is not None:
            labelling.set_to(change, conversations[0], edit.labels, user)
        match edit.status:
            case ConversationStatus.OPEN:
                reopen_locked(change, conversations, "reopened", user)
            case ConversationStatus.RESOLVED:
                resolve_locked(change, conversations, user)
            case ConversationStatus.SNOOZED if edit.snoozed_until is not None:
                _snooze(change, conversations, edit.snoozed_until, user)


@contextmanager
def _working(
    ids: Collection[int], action: WorkAction | None
) -> Iterator[tuple[Change, list[Conversation]]]:
    """One transaction that locks these conversations; records changes in `action` for an undo."""
    with announcing() as change:
        conversations = locked(ids)
        with undo_notes.noting(action, conversations):
            yield change, conversations


def in_batches(ids: Sequence[int], act: Callable[[list[int]], int]) -> int:
    """Act on any number of conversations, `BATCH` per transaction. Returns how many changed."""
    return sum(act(batch) for batch in _batches(ids))


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), BATCH):
        yield list(ids[start : start + BATCH])


def locked(ids: Collection[int]) -> list[Conversation]:
    """Lock these conversations, with their teams, in the order of their keys."""
    found = Conversation.objects.filter(pk__in=ids).select_related("team", "assignee")
    return rows.lock_many(found)


def _may_take(assignee: User, team_id: int) -> bool:
    return answerers_of([team_id]).filter(pk=assignee.pk).exists()


def assign_locked(
    change: Change, conversations: Iterable[Conversation], assignee: User | None, user: User | None
) -> int:
    """As `assign`, as a part of a transaction that has locked them."""
    key = assignee.pk if assignee is not None else None
    changed = [conversation for conversation in conversations if conversation.assignee_id != key]
    if assignee is not None:
        fitting = {team for team in _teams(changed) if _may_take(assignee, team)}
        changed = [conversation for conversation in changed if conversation.team_id in fitting]
    for conversation in changed:
        rows.show_assignee(change, conversation, key)
    code = "unassigned" if assignee is None else "assigned"
    name = "" if assignee is None else assignee.display_name
    return _write(change, changed, ["assignee"], code, user, name)


def pass_on(ids: Collection[int], *, member: User, to: User | None, user: User | None) -> int:
    """Assign what is still the member's to a colleague, or to nobody.

    What nobody has any more goes to the colleague too: the member's may have been released
    meanwhile. What somebody else took stays theirs.
    """
    with announcing() as change:
        still = [one for one in locked(ids) if one.assignee_id in (member.pk, None)]
        return assign_locked(change, still, to, user)


def release(ids: Collection[int]) -> int:
    """Unassign those whose assignee may no longer answer in their team."""
    with announcing() as change:
        conversations = [one for one in locked(ids) if one.assignee_id is not None]
        may = {team: set(answerers_of([team])) for team in _teams(conversations)}
        gone = {
            one: one.assignee.display_name
            for one in conversations
            if one.assignee is not None and one.assignee not in may[one.team_id]
        }
        for conversation in gone:
            rows.show_assignee(change, conversation, None)
        return _write(change, list(gone), ["assignee"], "released", None, gone)


def _teams(conversations: Iterable[Conversation]) -> set[int]:
    return {conversation.team_id for conversation in conversations}


def _snooze(
    change: Change, conversations: Iterable[Conversation], until: datetime, user: User | None
) -> int:
    changed = [
        conversation for conversation in conversations if conversation.snoozed_until != until
    ]
    for conversation in changed:
        _forgive(conversation)
        conversation.status, conversation.snoozed_until = ConversationStatus.SNOOZED, until
    fields = ["status", "snoozed_until", "missed_at"]
    return _write(change, changed, fields, "snoozed", user, until.isoformat())


def resolve_locked(change: Change, conversations: Iterable[Conversation], user: User | None) -> int:
    """As `resolve`, as a part of a transaction that has locked them."""
    now = timezone.now()
    changed = [
        conversation
        for conversation in conversations
        if conversation.status != ConversationStatus.RESOLVED
    ]
    for conversation in changed:
        conversation.status, conversation.snoozed_until = ConversationStatus.RESOLVED, None
        conversation.unread = 0
        if conversation.waiting_since is not None and conversation.missed_at is None:
            conversation.missed_at = now
    fields = ["status", "snoozed_until", "missed_at", "unread"]
    return _write(change, changed, fields, "resolved", user)


def reopen_locked(
    change: Change, conversations: Iterable[Conversation], code: str, user: User | None
) -> int:
    changed = [
        conversation
        for conversation in conversations
        if conversation.status != ConversationStatus.OPEN
    ]
    for conversation in changed:
        _forgive(conversation)
        rows.show_open(conversation)
    return _write(change, changed, ["status", "snoozed_until", "missed_at"], code, user)


def _forgive(conversation: Conversation) -> None:
    """Closed unanswered by an agent, it can be answered again unless its 24 hours are over."""
    if conversation.closes_at is not None and conversation.closes_at > timezone.now():
        conversation.missed_at = None


def _transfer(
    change: Change, conversations: Iterable[Conversation], team: Team, user: User | None
) -> int:
    changed = [conversation for conversation in conversations if conversation.team_id != team.pk]
    for conversation in changed:
        leave_team(change, conversation)
        assignee_id = conversation.assignee_id
        if assignee_id is not None:
            stays = answerers_of([team.pk]).filter(pk=assignee_id).exists()
            rows.show_assignee(change, conversation, assignee_id if stays else None)
        conversation.team = team
    labelling.follow(changed, team)
    return _write(change, changed, ["team", "assignee"], "transferred", user, team.name)


def leave_team(change: Change, conversation: Conversation) -> None:
    """Record that it leaves the team, so that the team's pages remove its row."""
    left, _ = Departure.objects.update_or_create(
        conversation=conversation,
        team_id=conversation.team_id,
        defaults={"left_at": timezone.now()},
    )
    change.touch(left, f"team:{conversation.team_id}", f"conversation:{conversation.pk}")


def _write(
    change: Change,
    conversations: Sequence[Conversation],
    fields: Sequence[str],
    code: str,
    user: User | None,
    detail: str | Mapping[Conversation, str] = "",
) -> int:
    """`detail`: what each event line shows; one value for all, or one for each."""
    update_rows(conversations, fields)
    if code in _RECORDED:
        to = detail if isinstance(detail, str) else ""
        record_all(_RECORDED[code], map(rows.subject_of, conversations), user=user, to=to)
    details = dict.fromkeys(conversations, detail) if isinstance(detail, str) else detail
    record_events(change, details, code, who=user)
    for conversation in conversations:
        rows.touch(change, conversation)
    return len(conversations)
