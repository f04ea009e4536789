"""Compares rows and folder. The result is a list of steps that bring them in sync. Pure.

Each row remembers the folder's name and the token's digest at the last sync. A side that differs
from that memory has changed, and the other side follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sessions_app.folder.store import FoundSession, Listing, Problem, digest
from sessions_app.sessions import names


@dataclass(frozen=True, slots=True)
class RowState:
    """The row of one session. `token`: the decrypted bot token, "" when logged out.

    `is_unreadable`: encrypted with a key that we lack. Such a row is neither compared nor
    overwritten.
    """

    pk: int
    name: str
    token: str
    bound_at_s: float
    filed_name: str
    filed_token: str
    generation: int = 0
    cursor: str = ""
    is_deleted: bool = False
    is_unreadable: bool = False

    @property
    def token_digest(self) -> str:
        return digest(self.token) if self.token else ""

    @property
    def is_agreed(self) -> bool:
        """Whether the folder is known to hold these credentials."""
        return bool(self.token) and self.token_digest == self.filed_token

    @property
    def is_filed(self) -> bool:
        """Whether the row is in sync and not deleted."""
        return self.is_agreed and not self.is_deleted


class Kind(StrEnum):
    """What a step does. The kinds of the second half write to the folder, under its lock."""

    ADOPT = "adopt"  # another program logged a new session in: create a row
    FOLLOW_LOGIN = "follow_login"  # another program logged this session in again
    FOLLOW_RENAME = "follow_rename"
    AGREE = "agree"  # both sides are equal already: remember that
    FORGET = "forget"  # logged out on both sides, or overwritten by another session's files
    FAIL = "fail"  # the folder's copy is unusable; nobody is logged out
    CONFIRM_LOGOUT = "confirm_logout"  # the folder lost it: check again under the lock
    FILE_LOGOUT = "file_logout"
    FILE_RENAME = "file_rename"
    FILE_LOGIN = "file_login"


UNDER_LOCK = frozenset({Kind.CONFIRM_LOGOUT, Kind.FILE_LOGIN, Kind.FILE_RENAME, Kind.FILE_LOGOUT})


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `row` is None for ADOPT. `name`: the folder's; `code`, `reason`: for FAIL."""

    kind: Kind
    row: RowState | None = None
    found: FoundSession | None = None
    name: str = ""
    code: str = ""
    reason: str = ""


class _FolderIndex:
    """A listing with lookups by name and by token."""

    def __init__(self, listing: Listing, rows: Sequence[RowState]) -> None:
        self.by_name = {one.name: one for one in listing.sessions}
        self.by_digest = {digest(one.token.token): one for one in listing.usable() if one.token}
        self._owners = {row.filed_token: row.pk for row in rows if row.filed_token}
        self.problem = ""
        if listing.is_absent:
            self.problem = "folder_absent"
        elif not listing.sessions and not listing.is_marked and _were_filed(rows):
            self.problem = "folder_empty"

    def usable(self, row: RowState) -> FoundSession | None:
        """The usable session at the row's place, unless another session was moved there."""
        found = self.by_name.get(row.filed_name)
        if found is None or found.token is None or self.is_of_another(found, row):
            return None
        return found

    def is_of_another(self, found: FoundSession, row: RowState) -> bool:
        owner = self._owners.get(digest(found.token.token)) if found.token else None
        return owner not in (None, row.pk)


def _were_filed(rows: Iterable[RowState]) -> bool:
    return any(row.filed_token for row in rows)


def compare(rows: Sequence[RowState], listing: Listing) -> list[Step]:
    """The steps, sorted so that a step that frees a name comes first."""
    folder = _FolderIndex(listing, rows)
    if folder.problem and _were_filed(rows):
        return [
            Step(Kind.FAIL, row, code=folder.problem)
            for row in rows
            if row.token and not row.is_deleted
        ]
    steps = [step for row in rows if (step := _step_for(row, folder)) is not None]
    claimed = {step.found.name for step in steps if step.found is not None}
    claimed |= {step.name for step in steps if step.name}
    claimed |= {row.filed_name for row in rows if row.filed_name}
    held = {row.filed_token for row in rows} | {row.token_digest for row in rows}
    unclaimed = [
        found
        for found in listing.usable()
        if found.name not in claimed and found.token and digest(found.token.token) not in held
    ]
    steps += [step for found in unclaimed if (step := _claim(found, rows)) is not None]
    order = list(Kind)
    return sorted(steps, key=lambda step: order.index(step.kind))


def _step_for(row: RowState, folder: _FolderIndex) -> Step | None:
    if row.is_unreadable:
        return None
    if not row.token:
        return _logged_out(row, folder)
    if not row.is_agreed:
        return _newly_bound(row, folder)
    return _bound(row, folder)


def _logged_out(row: RowState, folder: _FolderIndex) -> Step | None:
    if not row.filed_name:
        return None
    home = folder.by_digest.get(row.filed_token)
    if home is not None:
        return Step(Kind.FILE_LOGOUT, row, name=home.name)
    entry = folder.usable(row)
    if entry is not None and not row.is_deleted:
        return Step(Kind.FOLLOW_LOGIN, row, entry, entry.name)
    return Step(Kind.FORGET, row)


def _newly_bound(row: RowState, folder: _FolderIndex) -> Step:
    """The step for a scan made here. It is filed unless another program scanned later."""
    already = folder.by_digest.get(row.token_digest)
    if already is not None:
        return Step(Kind.AGREE, row, already, already.name)
    entry = folder.usable(row) if row.filed_name else None
    if entry is not None and entry.token is not None:
        is_older = digest(entry.token.token) == row.filed_token
        if not is_older and entry.token.created_at_s > row.bound_at_s:
            return Step(Kind.FOLLOW_LOGIN, row, entry, entry.name)
    kept = row.filed_name if row.filed_name in folder.by_name else row.name
    return Step(Kind.FILE_LOGIN, row, name=kept)


def _bound(row: RowState, folder: _FolderIndex) -> Step | None:
    home = folder.by_digest.get(row.filed_token)
    entry = folder.by_name.get(row.filed_name)
    if home is None:
        if entry is not None and folder.is_of_another(entry, row):
            return Step(Kind.FORGET, row)  # its files were overwritten, so file it anew
        return _lost(row, entry)
    is_copy = entry is not None and entry.problem is Problem.SAME_BOT
    if home.name != row.filed_name and not is_copy:
        return Step(Kind.FOLLOW_RENAME, row, home, home.name)
    if row.name != row.filed_name:
        return Step(Kind.FILE_RENAME, row, name=row.filed_name)
    return None


def _lost(row: RowState, entry: FoundSession | None) -> Step:
    """The step for a row whose token is no longer at its place in the folder."""
    if entry is None:
        return Step(Kind.CONFIRM_LOGOUT, row, name=row.filed_name)
    if entry.token is not None:
        return Step(Kind.FOLLOW_LOGIN, row, entry, entry.name)
    if entry.problem is Problem.WRITTEN_BACK:
        # A program that still had the older token overwrote ours.
        return Step(Kind.FILE_LOGIN, row, name=row.filed_name)
    code = "same_bot" if entry.problem is Problem.SAME_BOT else "folder_file"
    return Step(Kind.FAIL, row, name=entry.name, code=code, reason=entry.reason)


def _claim(found: FoundSession, rows: Iterable[RowState]) -> Step | None:
    """The step for a session that no row has: adopt it, or log in a logged-out row of that name.

    None if a row of that name still waits to be filed; the session is then handled by a later look.
    """
    key = names.name_key(found.name)
    namesake = next(
        (row for row in rows if names.name_key(row.name) == key and not row.is_deleted), None
    )
    if namesake is None:
        return Step(Kind.ADOPT, None, found, found.name)
    if namesake.token or namesake.filed_name or namesake.is_unreadable:
        return None
    return Step(Kind.FOLLOW_LOGIN, namesake, found, found.name)
