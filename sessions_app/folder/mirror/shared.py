"""The one row about the shared folder: what pages show of it, and what must outlive the process.

Written only when something changed, and announced to every team then.
"""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from sessions_app.folder.mirror import rows
from sessions_app.folder.mirror.comparing import Kind, Step
from sessions_app.folder.store import Change, Listing
from sessions_app.models import Receiver, SharedFolder, Team
from sessions_app.realtime.streams import announcing

TOPIC = "folder"
SEEN_EVERY_S = 4.0
SILENT_AFTER_S = 10.0
"""A folder that nobody has looked at for so long is not followed: its worker stands still."""
HANDOVER_S = 120
"""If nobody takes over in this time the console receives again: messages must not lie waiting."""


def shared_folder() -> SharedFolder:
    """The row; a fresh one, unsaved, before the mirror ever looked."""
    return SharedFolder.objects.filter(pk=1).first() or SharedFolder(pk=1)


def note(path: Path, listing: Listing, steps: list[Step], receiver: Receiver) -> None:
    """Write down what a look found, if it is news."""
    row = shared_folder()
    before = _shown(row)
    row.path = str(path)
    problem = next((one.code for one in steps if one.code in ("folder_absent", "folder_empty")), "")
    row.error_code = problem
    row.set_aside = _set_aside(listing, steps)
    if row.handed_over_at and _handover_is_over(row, receiver):
        row.handed_over_at = None
    row.receiver = receiver
    _agree_on_default(row, listing)
    if row._state.adding or _shown(row) != before:
        _save(row)
    elif is_older(row, SEEN_EVERY_S):
        SharedFolder.objects.filter(pk=1).update(seen_at=timezone.now())


def is_older(row: SharedFolder, seconds: float) -> bool:
    """Whether the last look was longer ago than that."""
    return timezone.now() - row.seen_at > timedelta(seconds=seconds)


def note_silence() -> None:
    """By a worker that stands by: the one that follows the folder has not looked for long."""
    row = shared_folder()
    if row.receiver == Receiver.CONSOLE and is_older(row, SILENT_AFTER_S):
        seen_at = row.seen_at
        row.receiver = Receiver.FROZEN
        _save(row)
        SharedFolder.objects.filter(pk=1).update(seen_at=seen_at)


def is_received(row: SharedFolder) -> bool:
    """Whether somebody who lives holds the polls, this console or another program."""
    if row.receiver == Receiver.FROZEN:
        return False
    return not (row.receiver == Receiver.CONSOLE and is_older(row, SILENT_AFTER_S))


def _shown(row: SharedFolder) -> tuple[object, ...]:
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
    """Folders that are no sessions, but those whose own session says what is wrong."""
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
    """A file's name may be no text at all: such bytes fit no database and no page."""
    return text.encode("utf-8", "backslashreplace").decode()


def _handover_is_over(row: SharedFolder, receiver: Receiver) -> bool:
    """Another program has taken it, or none came."""
    assert row.handed_over_at is not None
    waited = timezone.now() - row.handed_over_at
    return receiver in (Receiver.ANOTHER, Receiver.FROZEN) or waited > timedelta(seconds=HANDOVER_S)


def hand_over() -> None:
    """ "Let another program receive": polls end, and the lock is free for it."""
    row = shared_folder()
    row.handed_over_at = timezone.now()
    _save(row)


def take_back() -> None:
    row = shared_folder()
    row.handed_over_at = None
    _save(row)


def note_receiver(receiver: Receiver) -> None:
    """At a stop: nobody here receives any more. After a crash the row still says that we do."""
    row = shared_folder()
    if row.receiver != receiver and not row._state.adding:
        row.receiver = receiver
        _save(row)


# The default session


def _agree_on_default(row: SharedFolder, listing: Listing) -> None:
    """The folder's choice is followed when it changed; ours is filed by `file_default`."""
    chosen = listing.default_name if listing.usable() else ""
    if not chosen or chosen == row.default_name:
        return
    ours = rows.default_name()
    is_first_look = not row.default_name
    if not (is_first_look and ours):
        rows.follow_default(chosen)
    row.default_name = chosen


def default_to_file(listing: Listing) -> str:
    """The folder's name of our default, when the folder's own is another one; else ""."""
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
