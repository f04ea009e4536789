"""What differs between the rows and the folder, as steps that make them alike. Pure.

Each row remembers the folder's name and the token's digest as both sides last agreed on them. What
differs from that memory on one side is a change of that side, and the other follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sessions_app.folder.store import FoundSession, Listing, Problem, digest
from sessions_app.sessions import names


@dataclass(frozen=True, slots=True)
class RowState:
    """One session's row. `token` is the bot token in the clear, "" when logged out.

    `is_unreadable`: encrypted with a key that we lack; nothing is compared and nothing overwritten.
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
        """Whether the folder holds these very credentials, as far as we know."""
        return bool(self.token) and self.token_digest == self.filed_token

    @property
    def is_filed(self) -> bool:
        """Agreed, and a session that people still see."""
        return self.is_agreed and not self.is_deleted


class Kind(StrEnum):
    """What a step does; the second half of them writes to the folder, under its lock."""

    ADOPT = "adopt"  # a session that another program logged in: a new row
    FOLLOW_LOGIN = "follow_login"  # another program logged this one in again
    FOLLOW_RENAME = "follow_rename"
    AGREE = "agree"  # both hold the same already: remember it
    FORGET = "forget"  # logged out on both sides, or written over by another session's files
    FAIL = "fail"  # the folder's copy cannot be used; nobody is logged out
    CONFIRM_LOGOUT = "confirm_logout"  # the folder lost it: look again under the lock
    FILE_LOGOUT = "file_logout"
    FILE_RENAME = "file_rename"
    FILE_LOGIN = "file_login"


UNDER_LOCK = frozenset({Kind.CONFIRM_LOGOUT, Kind.FILE_LOGIN, Kind.FILE_RENAME, Kind.FILE_LOGOUT})


@dataclass(frozen=True, slots=True)
class Step:
    """`row` is None for ADOPT. `name`: of the folder; `code`, `reason`: why, for FAIL."""

    kind: Kind
    row: RowState | None = None
    found: FoundSession | None = None
    name: str = ""
    code: str = ""
    reason: str = ""


class _Folder:
    """A listing, to be asked by name and by token."""

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
        """What stands at the row's place, unless it is another session that was moved there."""
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
    """The steps, in an order in which they can be taken: what frees a name comes first."""
    folder = _Folder(listing, rows)
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


def _step_for(row: RowState, folder: _Folder) -> Step | None:
    if row.is_unreadable:
        return None
    if not row.token:
        return _logged_out(row, folder)
    if not row.is_agreed:
        return _newly_bound(row, folder)
    return _bound(row, folder)


def _logged_out(row: RowState, folder: _Folder) -> Step | None:
    if not row.filed_name:
        return None
    home = folder.by_digest.get(row.filed_token)
    if home is not None:
        return Step(Kind.FILE_LOGOUT, row, name=home.name)
    entry = folder.usable(row)
    if entry is not None and not row.is_deleted:
        return Step(Kind.FOLLOW_LOGIN, row, entry, entry.name)
    return Step(Kind.FORGET, row)


def _newly_bound(row: RowState, folder: _Folder) -> Step:
    """A scan here that the folder does not hold yet, unless somebody scanned there later."""
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


def _bound(row: RowState, folder: _Folder) -> Step | None:
    home = folder.by_digest.get(row.filed_token)
    entry = folder.by_name.get(row.filed_name)
    if home is None:
        if entry is not None and folder.is_of_another(entry, row):
            return Step(Kind.FORGET, row)  # its files were written over: they are filed anew
        return _lost(row, entry)
    is_copy = entry is not None and entry.problem is Problem.SAME_BOT
    if home.name != row.filed_name and not is_copy:
        return Step(Kind.FOLLOW_RENAME, row, home, home.name)
    if row.name != row.filed_name:
        return Step(Kind.FILE_RENAME, row, name=row.filed_name)
    return None


def _lost(row: RowState, entry: FoundSession | None) -> Step:
    """The folder does not hold our token where it was."""
    if entry is None:
        return Step(Kind.CONFIRM_LOGOUT, row, name=row.filed_name)
    if entry.token is not None:
        return Step(Kind.FOLLOW_LOGIN, row, entry, entry.name)
    if entry.problem is Problem.WRITTEN_BACK:
        # A program that still held the older token wrote it over ours.
        return Step(Kind.FILE_LOGIN, row, name=row.filed_name)
    code = "same_bot" if entry.problem is Problem.SAME_BOT else "folder_file"
    return Step(Kind.FAIL, row, name=entry.name, code=code, reason=entry.reason)


def _claim(found: FoundSession, rows: Iterable[RowState]) -> Step | None:
    """Whose it is: a logged-out session of that name, nobody's yet, or to be seen next time.

    A session here that still waits for that name in the folder gives way first.
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
