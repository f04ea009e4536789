"""Compares rows and folder, and brings them in sync.

All calls come from one thread, again and again. Each is short, waits for a lock at most
`LOCK_WAIT_S`, and leaves to the next call what it could not do.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from sessions_app.folder.mirror import contexts, rows, shared
from sessions_app.folder.mirror.comparing import UNDER_LOCK, Kind, RowState, Step, compare
from sessions_app.folder.mirror.contexts import Conversations
from sessions_app.folder.mirror.forgotten import Forgotten
from sessions_app.folder.mirror.poll_lease import FREE_FOR_S, PollLease
from sessions_app.folder.store import (
    Change,
    FolderBusyError,
    FolderError,
    KeptAnswer,
    Listing,
    Memory,
    SessionFolder,
    Signature,
    StoredContext,
    StoredToken,
    digest,
    is_stopped,
)
from sessions_app.models import Receiver
from sessions_app.sessions import names

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 0.3
HOLD_S = 0.25
"""How long the folder's lock is held at a time, in seconds. Other programs wait for it."""
CURSOR_EVERY_S = 1.0
WRITE_AGAIN_S = 30.0
MAX_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Sweep:
    """The result of one sweep. `took_over`: this sweep took the poll lock.

    `filed`: contexts reached the folder, so their replies may be sent. `is_behind`: sweep again at
    once. `is_busy`: work waits for the folder's lock, which another program holds.
    `is_empty`: there is no session, neither in the folder nor in the database.
    """

    receiver: Receiver
    took_over: bool = False
    filed: bool = False
    is_behind: bool = False
    is_busy: bool = False
    is_empty: bool = False


class Mirror:
    """Syncs one folder: `sweep(wants)` reads and writes; `release()` writes the last cursors."""

    def __init__(
        self,
        folder: SessionFolder,
        conversations: Conversations,
        *,
        free_for_s: float = FREE_FOR_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.conversations = conversations
        self.lease = PollLease(folder.poll_lock.path, free_for_s=free_for_s, clock=clock)
        self._clock = clock
        self._memory: Memory = {}
        self._decrypted: rows.Decrypted = {}
        self._signatures: dict[int, tuple[str, Signature]] = {}
        self._entries: dict[int, dict[str, StoredContext]] = {}
        self._forgotten = Forgotten(conversations)
        self._broken: dict[int, str] = {}
        self._cursor_at: dict[int, float] = {}
        self._retry_at: dict[int, float] = {}

    def sweep(self, *, wants: bool = True, was_ours: bool = False) -> Sweep:
        """Run once.

        `wants`: this process should poll. `was_ours`: it polled until it was killed.
        """
        self._migrate()
        listing, states, steps = self._follow_folder()
        self._merge_changed_files(states, listing)
        self._update_failing(steps, states)
        had = self.lease.is_held
        receiver = self.lease.look(wants=wants and not _is_unusable(steps), at_once=was_ours)
        if receiver is Receiver.ANOTHER and is_stopped(self.folder.poll_lock.path):
            receiver = Receiver.FROZEN
        took_over = self.lease.is_held and not had
        if took_over:
            self._take_cursors()
        filed, is_behind, is_busy = self._file(steps, states, listing)
        if filed or is_behind:
            listing = self.folder.scan(self._memory)
        shared.note(self.folder.base, listing, steps, receiver)
        is_empty = not (states or listing.sessions)
        return Sweep(receiver, took_over, filed, is_behind, is_busy, is_empty)

    def kept_answers(self) -> list[KeptAnswer]:
        """Answers that a Python program received and did not deliver.

        Only while we hold the lease.
        """
        return self.folder.kept_answers() if self.lease.is_held else []

    def release(self) -> None:
        """Hand polling over. Writes the cursors first, if the data lock can be had."""
        if self.lease.is_held:
            self._cursor_at.clear()
            listing, states = self._read_both()
            self._file([], states, listing)
            self.lease.release()

    # Reading and following

    def _migrate(self) -> None:
        try:
            self.folder.migrate(limit_s=LOCK_WAIT_S)
        except FolderError as error:
            logger.info("cannot migrate the folder's old layout yet: %s", error)

    def _read_both(self) -> tuple[Listing, list[RowState]]:
        return self.folder.scan(self._memory), rows.row_states(self._decrypted)

    def _follow_folder(self) -> tuple[Listing, list[RowState], list[Step]]:
        """Apply the folder's changes to the rows. Returns the steps that are left."""
        for _round in range(MAX_ROUNDS):
            listing, states = self._read_both()
            steps = compare(states, listing)
            following = [step for step in steps if step.kind in _FOLLOWING]
            if not following:
                break
            for step in following:
                _follow(step)
        return listing, states, steps

    def _update_failing(self, steps: Iterable[Step], states: Iterable[RowState]) -> None:
        """Set `failing` on sessions with unusable files; reset it when they are usable again."""
        failing = {step.row.pk: step for step in steps if step.kind is Kind.FAIL and step.row}
        for pk, step in failing.items():
            rows.fail(pk, step.code, step.reason)
        for pk, reason in self._broken.items():
            if pk not in failing:
                rows.fail(pk, "contexts_file", reason)
        held_back = failing.keys() | self._broken.keys()
        rows.recover(rows.failed_by_folder().keys() - held_back)

    # Contexts

    def _merge_changed_files(self, states: Iterable[RowState], listing: Listing) -> None:
        """Merge what others wrote into contexts files since the last sweep."""
        agreed = {row.filed_name: row for row in states if row.is_filed}
        if listing.is_absent or not agreed:
            return
        self._forgotten.look_again(self._entries)
        for name, signature in self.folder.contexts_signatures(agreed).items():
            row = agreed[name]
            if self._signatures.get(row.pk) != (name, signature):
                self._signatures[row.pk] = (name, signature)
                self._merge_file(row, partial(self.folder.read_contexts, name))

    def _merge_file(self, row: RowState, read: Callable[[], dict[str, StoredContext]]) -> None:
        try:
            entries = read()
        except FolderError as error:
            self._broken[row.pk] = str(error)
            self._entries.pop(row.pk, None)
            return
        self._broken.pop(row.pk, None)
        before = self._entries.get(row.pk)
        known = before or {}
        fresh = {user: entry for user, entry in entries.items() if known.get(user) != entry}
        fresh = self._forgotten.without(row.pk, fresh)
        if fresh:
            contexts.merge_entries(row.pk, row.generation, fresh, self.conversations)
        if before is None:
            contexts.file_missing(row.pk, set(entries))
        elif gone := before.keys() - entries.keys():
            contexts.file_again(row.pk, gone)
        self._entries[row.pk] = entries

    def _file_contexts(self, change: Change, states: Iterable[RowState], end_at: float) -> bool:
        """Write unfiled contexts, session by session.

        Returns True if time ran out before the end.
        """
        filed = {row.pk: row for row in states if row.is_filed}
        for pk in contexts.unfiled_sessions(filed):
            if self._clock() > end_at:
                return True
            if not self._may_write(pk):
                contexts.leave_unfiled(pk)
                continue
            try:
                self._file_one(change, filed[pk])
            except (FolderError, OSError) as error:
                logger.warning("cannot write the contexts of session %s: %s", pk, error)
                self._postpone(pk)
        return False

    def _file_one(self, change: Change, row: RowState) -> None:
        self._merge_file(row, partial(change.read_contexts, row.filed_name))
        if row.pk in self._broken:
            contexts.leave_unfiled(row.pk)
            return
        written = contexts.file_out(row.pk, row.filed_name, change)
        self._entries[row.pk] = {**self._entries.get(row.pk, {}), **written}

    def _may_write(self, pk: int) -> bool:
        return pk not in self._broken and pk not in self._retry_at

    def _postpone(self, pk: int) -> None:
        """Postpone writing a file that cannot be written now. No reply waits for it."""
        contexts.leave_unfiled(pk)
        self._retry_at[pk] = self._clock() + WRITE_AGAIN_S

    def _retry_postponed(self) -> None:
        now = self._clock()
        for pk in [pk for pk, at in self._retry_at.items() if at <= now]:
            del self._retry_at[pk]
            contexts.file_again(pk)

    # Filing

    def _file(
        self, steps: list[Step], states: list[RowState], listing: Listing
    ) -> tuple[bool, bool, bool]:
        """Write everything that waits, under the lock.

        Returns (contexts were filed, more waits, busy).
        """
        self._retry_postponed()
        contexts.leave_others(row.pk for row in states if row.token)
        agreed = [row for row in states if row.is_filed]
        people = contexts.unfiled_sessions(row.pk for row in agreed)
        if _is_unusable(steps):
            for pk in people:
                self._postpone(pk)
            return bool(people), False, False
        work = any(step.kind in UNDER_LOCK for step in steps)
        cursors = self._due_cursors(agreed, listing)
        default = shared.default_to_file(listing)
        is_unmarked = bool(listing.sessions) and not listing.is_marked
        forgotten = self._forgotten.waiting(agreed)
        if not (work or people or cursors or default or is_unmarked or forgotten):
            return False, False, False
        try:
            make = not any(row.filed_token for row in states)
            with self.folder.changing(limit_s=LOCK_WAIT_S, make=make) as change:
                end_at = self._clock() + HOLD_S
                if work:
                    self._take_steps(change)
                more = self._file_contexts(change, rows.row_states(self._decrypted), end_at)
                self._file_cursors(change, cursors)
                self._forgotten.take_out(change, forgotten)
                shared.file_default(change, default)
                change.mark()
        except FolderBusyError:
            return False, False, work or bool(people)
        except (FolderError, OSError) as error:
            logger.warning("cannot write the session folder: %s", error)
            for pk in people:
                self._postpone(pk)
            return bool(people), False, False
        return bool(people), more or work or bool(default), False

    def _file_cursors(self, change: Change, cursors: Iterable[tuple[RowState, str]]) -> None:
        for row, cursor in cursors:
            self._cursor_at[row.pk] = self._clock()
            change.write_cursor(row.token, cursor, row.filed_name)

    def _take_steps(self, change: Change) -> None:
        """Compare again under the lock, where no other program is in the middle of a change."""
        steps = compare(rows.row_states(self._decrypted), change.scan())
        for step in steps:
            if step.kind in UNDER_LOCK and step.row is not None:
                try:
                    self._take_step(change, step, step.row)
                except FolderError as error:
                    logger.warning("session %s: %s", step.row.pk, error)

    def _take_step(self, change: Change, step: Step, row: RowState) -> None:
        match step.kind:
            case Kind.CONFIRM_LOGOUT:
                rows.follow_logout(row.pk)
            case Kind.FILE_LOGIN:
                self._file_login(change, row, step.name)
            case Kind.FILE_RENAME:
                self._file_rename(change, row)
            case Kind.FILE_LOGOUT:
                change.log_out(step.name)
                rows.agree(row.pk, name="", token_digest="")

    def _file_login(self, change: Change, row: RowState, name: str) -> None:
        stored = rows.stored_token(row.pk, row.token)
        if stored is None:
            return
        if name != row.filed_name and not _is_free(change, name):
            name = rows.take_free_name(row.pk, partial(_is_free, change))
        change.write_token(name, stored)
        rows.agree(row.pk, name=name, token_digest=row.token_digest)
        contexts.file_again(row.pk)
        self._signatures.pop(row.pk, None)
        self._entries.pop(row.pk, None)

    def _file_rename(self, change: Change, row: RowState) -> None:
        try:
            name = change.rename(row.filed_name, row.name)
        except names.SessionNameError:
            rows.keep_old_name(row.pk)
        else:
            rows.agree(row.pk, name=name, token_digest=row.filed_token)

    def _due_cursors(
        self, agreed: Iterable[RowState], listing: Listing
    ) -> list[tuple[RowState, str]]:
        """The cursors to write.

        While we poll, the rows are the truth; each file is updated once a second.
        """
        if not self.lease.is_held:
            return []
        now = self._clock()
        stored = _cursors(listing)
        return [
            (row, row.cursor)
            for row in agreed
            if stored.get(row.filed_token, row.cursor) != row.cursor
            and now - self._cursor_at.get(row.pk, float("-inf")) >= CURSOR_EVERY_S
        ]

    def _take_cursors(self) -> None:
        listing, states = self._read_both()
        stored = _cursors(listing)
        rows.take_cursors(
            (row, stored[row.filed_token]) for row in states if row.filed_token in stored
        )


_UNUSABLE_CODES = ("folder_absent", "folder_empty")
_FOLLOWING = (Kind.ADOPT, Kind.FOLLOW_LOGIN, Kind.FOLLOW_RENAME, Kind.AGREE, Kind.FORGET)


def _follow(step: Step) -> None:
    match step.kind, step.row, step.found:
        case Kind.ADOPT, None, found if found is not None:
            rows.adopt(found)
        case Kind.FOLLOW_LOGIN, row, found if row is not None and found is not None:
            rows.follow_login(row.pk, found)
        case Kind.FOLLOW_RENAME, row, found if row is not None and found is not None:
            rows.follow_rename(row.pk, found)
        case Kind.AGREE, row, _ if row is not None:
            rows.agree(row.pk, name=step.name, token_digest=row.token_digest)
        case Kind.FORGET, row, _ if row is not None:
            rows.agree(row.pk, name="", token_digest="")


def _is_free(change: Change, name: str) -> bool:
    try:
        change.free_name(name)
    except names.SessionNameTaken:
        return False
    return True


def _is_unusable(steps: Iterable[Step]) -> bool:
    """Whether the folder is absent or another one.

    Then nothing is written and nobody logged out.
    """
    return any(step.kind is Kind.FAIL and step.code in _UNUSABLE_CODES for step in steps)


def _cursors(listing: Listing) -> dict[str, str]:
    tokens: list[StoredToken] = [one.token for one in listing.usable() if one.token]
    return {digest(token.token): token.cursor for token in tokens}
