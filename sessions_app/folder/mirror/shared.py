"""The row about the shared folder: its state for pages, and what must survive a restart.

Written only when something changed, and then announced to every team.
"""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from sessions_app.folder.mirror import rows
from sessions_app.folder.mirror.comparing import Kind, Step
from sessions_app.folder.store import Change, Listing
from sessions_app.models import Receiver, SharedFolder, Team
from sessions_app.realtime.streams import announcing
from sessions_app.recording.actions import Action
from sessions_app.recording.actions import Kind as Recorded
from sessions_app.recording.record import Subject, record

TOPIC = "folder"
SEEN_EVERY_S = 4.0
SILENT_AFTER_S = 10.0
"""If nobody has read the folder for so many seconds, its worker is considered stuck."""
HANDOVER_S = 120
"""After a hand-over the console receives again if no program started within so many seconds.

Otherwise messages would wait.
"""


def shared_folder() -> SharedFolder:
    """The row, or a new unsaved one before the mirror first ran."""
    return SharedFolder.objects.filter(pk=1).first() or SharedFolder(pk=1)


def note(path: Path, listing: Listing, steps: list[Step], receiver: Receiver) -> None:
    """Store the result of a sweep if it is new."""
    row = shared_folder()
    before = _visible_state(row)
    row.path = str(path)
    problem = next((one.code for one in steps if one.code in ("folder_absent", "folder_empty")), "")
    row.error_code = problem
    row.set_aside = _set_aside(listing, steps)
    if row.handed_over_at and _handover_is_over(row, receiver):
        row.handed_over_at = None
    row.receiver = receiver
    _agree_on_default(row, listing)
    if row._state.adding or _visible_state(row) != before:
        _save(row)
    elif is_older(row, SEEN_EVERY_S):
        SharedFolder.objects.filter(pk=1).update(seen_at=timezone.now())


def is_older(row: SharedFolder, seconds: float) -> bool:
    """Whether the last sweep was more than `seconds` ago."""
    return timezone.now() - row.seen_at > timedelta(seconds=seconds)


def note_silence() -> None:
    """Record that the worker that follows the folder has stopped sweeping.

    Called by a standby worker.
    """
    row = shared_folder()
    if row.receiver == Receiver.CONSOLE and is_older(row, SILENT_AFTER_S):
        seen_at = row.seen_at
        row.receiver = Receiver.FROZEN
        _save(row)
        SharedFolder.objects.filter(pk=1).update(seen_at=seen_at)


def is_received(row: SharedFolder) -> bool:
    """Whether this console or another program holds the polls and is alive."""
    if row.receiver == Receiver.FROZEN:
        return False
    return not (row.receiver == Receiver.CONSOLE and is_older(row, SILENT_AFTER_S))


def _visible_state(row: SharedFolder) -> tuple[object, ...]:
    return (
        row.path, row.error_code, row.set_aside, row.receiver, row.handed_over_at,
        row.default_name,
    )  # fmt: skip


def _save(row: SharedFolder) -> None:
    with announcing() as change:
        row.seen_at = timezone.now()
        row.save()
        for team in Team.objects.all():
            change.mention(team.stream_key, TOPIC)


def _set_aside(listing: Listing, steps: list[Step]) -> list[dict[str, str]]:
    """Folders that are not sessions, except those whose own session shows the problem."""
    said = {step.name for step in steps if step.kind is Kind.FAIL}
    return [
        {
            "name": _storable(one.name),
            "problem": one.problem.value,
            "reason": _storable(one.reason),
        }
        for one in listing.sessions
        if one.problem is not None and one.name not in said
    ]


def _storable(text: str) -> str:
    """Replace bytes of a file name that are not text, which no database or page accepts."""
    return text.encode("utf-8", "backslashreplace").decode()


def _handover_is_over(row: SharedFolder, receiver: Receiver) -> bool:
    """Whether another program has taken over, or none came in time."""
    assert row.handed_over_at is not None
    waited = timezone.now() - row.handed_over_at
    return receiver in (Receiver.ANOTHER, Receiver.FROZEN) or waited > timedelta(seconds=HANDOVER_S)


def hand_over() -> None:
    """Stop polling and free the lock, for "Let another program receive"."""
    row = shared_folder()
    row.handed_over_at = timezone.now()
    _save(row)
    record(Action.FOLDER_HANDED_OVER, Subject(Recorded.FOLDER, name=row.path))


def take_back() -> None:
    """Receive again. Called in a transaction, as `hand_over`."""
    row = shared_folder()
    row.handed_over_at = None
    _save(row)
    record(Action.FOLDER_TAKEN_BACK, Subject(Recorded.FOLDER, name=row.path))


def note_receiver(receiver: Receiver) -> None:
    """Store the receiver when the console stops. After a crash the row still names this console."""
    row = shared_folder()
    if row.receiver != receiver and not row._state.adding:
        row.receiver = receiver
        _save(row)


# The default session


def _agree_on_default(row: SharedFolder, listing: Listing) -> None:
    """Follow the folder's default if it changed. `file_default` writes ours to the folder."""
    chosen = listing.default_name if listing.usable() else ""
    if not chosen or chosen == row.default_name:
        return
    ours = rows.default_name()
    is_first_look = not row.default_name
    if not (is_first_look and ours):
        rows.follow_default(chosen)
    row.default_name = chosen


def default_to_file(listing: Listing) -> str:
    """The folder's name of our default if the folder has another default, else ""."""
    row, ours = shared_folder(), rows.default_name()
    usable = {one.name for one in listing.usable()}
    is_news = row.default_name and listing.default_name == row.default_name
    return ours if is_news and ours in usable and ours != listing.default_name else ""


def file_default(change: Change, name: str) -> None:
    if not name:
        return
    change.set_default(name)
    row = shared_folder()
    row.default_name = name
    _save(row)
