"""The report of a transfer: one line per session, or why it was refused. Never a token.

Names come from a disk, so control and unprintable characters are escaped.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from sessions_app.folder.store import FolderBusyError, FolderLock, holder_of

LOCK_WAIT_S = 3.0
SHOWN_CHARACTERS = 60


class Refused(Exception):  # noqa: N818 - a statement
    """Nothing was done. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """The result for one session. `is_left_out`: it was not transferred, or not completely."""

    name: str
    words: str
    is_left_out: bool = False


@dataclass(slots=True)
class Report:
    """`advice`: what the user must do now, or "" if nothing was transferred."""

    dry_run: bool
    lines: list[Line] = field(default_factory=list)
    went: int = 0
    advice: str = ""

    @property
    def left_out(self) -> int:
        return sum(line.is_left_out for line in self.lines)

    def add(self, name: str, words: str, *, is_left_out: bool = False) -> None:
        self.lines.append(Line(name, words, is_left_out))

    def leave_out(self, name: str, sentence: str) -> None:
        self.add(name, f"left out: {sentence}", is_left_out=True)

    def did(self, participle: str) -> str:
        """ "imported", or "would be imported" in a dry run."""
        return f"would be {participle}" if self.dry_run else participle

    def text(self, participle: str) -> str:
        """The whole report as text."""
        names = [shown(line.name) for line in self.lines]
        width = min(max((len(name) for name in names), default=0), 24)
        parts = ["Dry run: nothing is changed."] if self.dry_run else []
        parts += [
            f"{name:<{width}}  {escaped(line.words)}"
            for name, line in zip(names, self.lines, strict=True)
        ]
        parts.append(f"{self.went} {self.did(participle)}, {self.left_out} left out.")
        return "\n".join([*parts, self.advice] if self.advice else parts)


def escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def shown(name: str) -> str:
    """A name on one short line. “(all)” for lines about no single session."""
    if not name:
        return "(all)"
    name = name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}…"
    return escaped(name)


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def refuse_followed(path: Path) -> None:
    """Refuse the console's own folder with WEILINK_STORE=files: it is in sync all the time."""
    if settings.WEILINK_STORE != "files":
        return
    ours = settings.WEILINK_BASE_PATH.expanduser()
    is_same = path.resolve() == ours.resolve()
    if is_same or (path.exists() and ours.exists() and os.path.samefile(path, ours)):
        raise Refused(
            f"{escaped(str(path))} is the folder that this console follows by itself "
            "(WEILINK_STORE=files): there is nothing to move."
        )


def is_receiving(path: Path, lock: FolderLock) -> Refused:
    by = holder_of(lock.path)
    return Refused(
        f"A program is receiving on {escaped(str(path))}{f': {by}' if by else ''}; stop it first."
    )


def is_busy(path: Path, lock: FolderLock, busy: FolderBusyError) -> Refused:
    by = holder_of(lock.path) or "another program"
    return Refused(
        f"{escaped(str(path))} is held by {by} ({busy.name}) for more than {LOCK_WAIT_S:.0f} s; "
        "try again when it is done."
    )
