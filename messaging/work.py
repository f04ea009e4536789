"""What agents do with whole conversations: assign, label, snooze, resolve, reopen, transfer.

Any number of conversations in one transaction, each change a quiet line in its thread. Whoever
calls has asked `access` for the keys; what is already so is left alone and not counted.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.utils import timezone

from messaging import labelling
from messaging.models import Conversation, ConversationStatus, Departure
from messaging.thread_events import record_events
from sessions_app.batches import update_rows
from sessions_app.models import Team, User
from sessions_app.people.roles import answerers_of
from sessions_app.realtime import Change, announcing

BATCH = 200
"""Conversations of one transaction: what comes in meanwhile waits for no more than these."""


class WorkError(Exception):
    """`code`: past (a time to wake that is over), no_agent (may not answer there)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Keep(Enum):
    """In place of a value that is not to be changed."""

    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Edit:
    """Several changes of one conversation at once; None and KEEP leave things as they are."""

    status: ConversationStatus | None = None
    snoozed_until: datetime | None = None
    assignee: User | Keep | None = Keep.KEEP
    labels: Sequence[str] | None = None
    team: Team | None = None


def assign(*, ids: Collection[int], assignee: User | None, user: User | None) -> int:
    """Give conversations to somebody, or to nobody. Those of teams without them are left."""
    with announcing() as change:
        return _assign(change, _locked(ids), assignee, user)


def label(
    *, ids: Collection[int], user: User | None, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> int:
    """Stick labels on and take labels off, by name; a new name becomes a label of the team."""
    with announcing() as change:
        threads = _locked(ids)
        added = labelling.add(change, threads, add, user)
        removed = labelling.remove(change, threads, remove, user)
        return len(added | removed)


def snooze(*, ids: Collection[int], until: datetime, user: User | None) -> int:
    """Set aside until a moment or until the customer writes. Raises WorkError."""
    if until <= timezone.now():
        raise WorkError("past")
    with announcing() as change:
        return _snooze(change, _locked(ids), until, user)


def resolve(*, ids: Collection[int], user: User | None) -> int:
    """Settle; where the customer's word is the last, it counts as missed."""
    with announcing() as change:
        return _resolve(change, _locked(ids), user)


def reopen(*, ids: Collection[int], user: User | None) -> int:
    """Back among the open ones, from snoozed or resolved."""
    with announcing() as change:
        return _reopen(change, _locked(ids), "reopened", user)


def wake(*, ids: Collection[int], now: datetime) -> int:
    """What is due of the snoozed; somebody may have changed it since it was looked up."""
    with announcing() as change:
        due = [
            thread
            for thread in _locked(ids)
            if thread.snoozed_until is not None and thread.snoozed_until <= now
        ]
        return _reopen(change, due, "woken", None)


def transfer(*, ids: Collection[int], team: Team, user: User | None) -> int:
    """Hand over to another team: it is that team's to see and answer from now on."""
    with announcing() as change:
        return _transfer(change, _locked(ids), team, user)


def edit(*, conversation: Conversation, edit: Edit, user: User | None) -> None:
    """All of it or nothing. Raises WorkError."""
    if edit.snoozed_until is not None and edit.snoozed_until <= timezone.now():
        raise WorkError("past")
    with announcing() as change:
        threads = _locked([conversation.pk])
        if edit.team is not None:
            _transfer(change, threads, edit.team, user)
        if not isinstance(edit.assignee, Keep):
            if edit.assignee is not None and not _may_take(edit.assignee, threads[0].team_id):
                raise WorkError("no_agent")
            _assign(change, threads, edit.assignee, user)
        if edit.labels is not None:
            labelling.set_to(change, threads[0], edit.labels, user)
        match edit.status:
            case ConversationStatus.OPEN:
                _reopen(change, threads, "reopened", user)
            case ConversationStatus.RESOLVED:
                _resolve(change, threads, user)
            case ConversationStatus.SNOOZED if edit.snoozed_until is not None:
                _snooze(change, threads, edit.snoozed_until, user)


def in_batches(ids: Sequence[int], act: Callable[[list[int]], int]) -> int:
    """Any number of conversations, a bounded transaction each `BATCH`; how many were changed."""
    return sum(act(batch) for batch in _batches(ids))


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), BATCH):
        yield list(ids[start : start + BATCH])


def _locked(ids: Collection[int]) -> list[Conversation]:
    rows = Conversation.objects.select_for_update(of=("self",), no_key=True)
    return list(rows.filter(pk__in=ids).select_related("team").order_by("pk"))


def _may_take(assignee: User, team_id: int) -> bool:
    return answerers_of([team_id]).filter(pk=assignee.pk).exists()


def _assign(
    change: Change, threads: Iterable[Conversation], assignee: User | None, user: User | None
) -> int:
    key = assignee.pk if assignee is not None else None
    changed = [thread for thread in threads if thread.assignee_id != key]
    if assignee is not None:
        fitting = {team for team in _teams(changed) if _may_take(assignee, team)}
        changed = [thread for thread in changed if thread.team_id in fitting]
    for thread in changed:
        thread.assignee_id = key
    code = "unassigned" if assignee is None else "assigned"
    name = "" if assignee is None else assignee.display_name
    return _write(change, changed, ["assignee"], code, user, name)


def _teams(threads: Iterable[Conversation]) -> set[int]:
    return {thread.team_id for thread in threads}


def _snooze(
    change: Change, threads: Iterable[Conversation], until: datetime, user: User | None
) -> int:
    changed = [thread for thread in threads if thread.snoozed_until != until]
    for thread in changed:
        _forgive(thread)
        thread.status, thread.snoozed_until = ConversationStatus.SNOOZED, until
    fields = ["status", "snoozed_until", "missed_at"]
    return _write(change, changed, fields, "snoozed", user, until.isoformat())


def _resolve(change: Change, threads: Iterable[Conversation], user: User | None) -> int:
    now = timezone.now()
    changed = [thread for thread in threads if thread.status != ConversationStatus.RESOLVED]
    for thread in changed:
        thread.status, thread.snoozed_until = ConversationStatus.RESOLVED, None
        thread.unread = 0
        if thread.waiting_since is not None and thread.missed_at is None:
            thread.missed_at = now
    fields = ["status", "snoozed_until", "missed_at", "unread"]
    return _write(change, changed, fields, "resolved", user)


def _reopen(change: Change, threads: Iterable[Conversation], code: str, user: User | None) -> int:
    changed = [thread for thread in threads if thread.status != ConversationStatus.OPEN]
    for thread in changed:
        _forgive(thread)
        thread.status, thread.snoozed_until = ConversationStatus.OPEN, None
    return _write(change, changed, ["status", "snoozed_until", "missed_at"], code, user)


def _forgive(thread: Conversation) -> None:
    """Closed unanswered by an agent, it can be answered again, unless its 24 hours are over."""
    if thread.closes_at is not None and thread.closes_at > timezone.now():
        thread.missed_at = None


def _transfer(
    change: Change, threads: Iterable[Conversation], team: Team, user: User | None
) -> int:
    changed = [thread for thread in threads if thread.team_id != team.pk]
    for thread in changed:
        _leave(change, thread)
        thread.team = team
        if thread.assignee_id is not None:
            stays = answerers_of([team.pk]).filter(pk=thread.assignee_id).exists()
            thread.assignee_id = thread.assignee_id if stays else None
    labelling.follow(changed, team)
    return _write(change, changed, ["team", "assignee"], "transferred", user, team.name)


def _leave(change: Change, thread: Conversation) -> None:
    left, _ = Departure.objects.update_or_create(
        conversation=thread, team_id=thread.team_id, defaults={"left_at": timezone.now()}
    )
    change.touch(left, f"team:{thread.team_id}", f"conversation:{thread.pk}")


def _write(
    change: Change,
    threads: Sequence[Conversation],
    fields: Sequence[str],
    code: str,
    user: User | None,
    detail: str = "",
) -> int:
    update_rows(threads, fields)
    record_events(change, dict.fromkeys(threads, detail), code, who=user)
    for thread in threads:
        change.touch(thread, f"team:{thread.team_id}", f"conversation:{thread.pk}")
    return len(threads)
