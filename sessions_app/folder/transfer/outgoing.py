"""`sessions export`: writes token.json, contexts.json and the default for the `weilink` SDK.

Files are written atomically under the folder's data lock. Other credentials and broken files in the
folder are never overwritten without `replace`.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sessions_app.database.encryption import DecryptionError
from sessions_app.folder.store import (
    Change,
    FolderBusyError,
    FolderError,
    FoundSession,
    Listing,
    Problem,
    SessionFolder,
    StoredContext,
    StoredToken,
    merged,
)
from sessions_app.folder.transfer.incoming import FLAT_TOKEN
from sessions_app.folder.transfer.report import (
    LOCK_WAIT_S,
    Refused,
    Report,
    escaped,
    is_busy,
    is_receiving,
    people,
    refuse_followed,
)
from sessions_app.models import Context, Session
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions import names

Read = Callable[[str], Mapping[str, StoredContext]]
_UNTOUCHABLE = (Problem.BAD_NAME, Problem.LINK, Problem.BROKEN_TOKEN)


def export_folder(path: Path, *, dry_run: bool = False, replace: bool = False) -> Report:
    """Export what can be exported. Raises Refused. `Report` lists what was left out."""
    refuse_followed(path)
    _refuse_unwritable(path)
    folder, report = SessionFolder(path), Report(dry_run)
    try:
        with folder.poll_lock.borrow(limit_s=0):
            if dry_run:
                found = SessionFolder(path, flat_default=FLAT_TOKEN)
                export = _Export(found.scan(), _in_use(path), found.read_contexts, report, replace)
                return export.run(None, path)
            folder.migrate(limit_s=LOCK_WAIT_S)
            with folder.changing(limit_s=LOCK_WAIT_S, make=True) as change:
                listing = change.scan()
                export = _Export(listing, _in_use(path), change.read_contexts, report, replace)
                return export.run(change, path)
    except FolderBusyError as busy:
        if busy.name == folder.data_lock.path.name:
            raise is_busy(path, folder.data_lock, busy) from busy
        raise is_receiving(path, folder.poll_lock) from busy
    except FolderError as error:
        raise Refused(f"{escaped(str(path))} cannot be written: {error}") from error
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise Refused(f"{escaped(str(path))} cannot be written ({reason}).") from error


def _refuse_unwritable(path: Path) -> None:
    there = path.absolute()
    while not there.exists() and there != there.parent:
        if there.is_symlink():
            raise Refused(f"{escaped(str(there))} is a link to nothing.")
        there = there.parent
    if not there.is_dir():
        raise Refused(f"{escaped(str(there))} is not a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Refused(f"{escaped(str(there))} is not writable.")


def _in_use(path: Path) -> dict[str, str]:
    """Name key → name, of links and of folders with content."""
    found: dict[str, str] = {}
    with suppress(FileNotFoundError), os.scandir(path) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.is_symlink() or (is_folder and os.listdir(entry.path)):
                found[names.name_key(entry.name)] = entry.name
    return found


@dataclass(slots=True)
class _Export:
    """One run over one folder. Without a `Change` it only reports what it would do."""

    listing: Listing
    in_use: dict[str, str]
    read: Read
    report: Report
    replace: bool

    def run(self, change: Change | None, path: Path) -> Report:
        went = []
        for session in Session.objects.filter(deleted_at=None).order_by("name_key"):
            if not session.encrypted_token:
                self.report.add(session.name, "is logged out: there is nothing to write")
                continue
            try:
                went += self._write(change, session)
            except FolderError as error:
                self.report.leave_out(session.name, str(error))
        self.report.went = len(went)
        self._set_default(change, [one.name for one in went if one.is_default])
        if went and not self.report.dry_run:
            subject = Subject(Kind.FOLDER, name=escaped(str(path)))
            record(Action.SESSIONS_EXPORTED, subject, count=len(went))
        if went:
            self.report.advice = (
                "The console still receives for these bots: stop it, or pause them in it, before "
                f"a program receives on {escaped(str(path))}."
            )
        return self.report

    def _write(self, change: Change | None, session: Session) -> list[Session]:
        """Export one session. Returns it in a list, or an empty list if it was left out."""
        name = session.name
        try:
            token = _as_stored(session)
        except DecryptionError:
            self.report.leave_out(name, "WEILINK_CREDENTIAL_KEYS cannot read its token.")
            return []
        if reason := self._objection(name, token):
            self.report.leave_out(name, reason)
            return []
        contexts, unreadable = _contexts_of(session)
        before = self.listing.get(name)
        if change is not None:
            change.write_token(name, token)
        said = "written"
        if before is not None and before.token is not None:
            is_same = before.token.token == token.token
            said = "brought up to date" if is_same else "written over the credentials there"
        self.report.add(
            name, f"{self.report.did(said)}: bot {token.bot_id}, {people(len(contexts))}"
        )
        self._write_contexts(change, name, contexts)
        if unreadable:
            words = f"{people(unreadable)}, whose token WEILINK_CREDENTIAL_KEYS cannot read."
            self.report.leave_out(name, words)
        return [session]

    def _objection(self, name: str, token: StoredToken) -> str:
        """Why this session must not be written, or "" if it may."""
        try:
            if names.clean_session_name(name) != name:
                return "Its name is not written in Unicode's normal form; rename it first."
        except names.BadSessionName as problem:
            return str(problem)
        clash = self.in_use.get(names.name_key(name), name)
        if clash != name:
            return f"“{clash}” in the folder differs in upper and lower case only."
        there = self.listing.get(name)
        if there is not None and there.problem in _UNTOUCHABLE:
            return there.reason
        if twin := self._same_bot(name, token):
            return f"“{twin.name}” in the folder holds the same bot."
        is_other = there is not None and (there.token is None or there.token.token != token.token)
        if is_other and not self.replace:
            return "the folder holds other credentials of that name; --replace takes ours."
        return ""

    def _same_bot(self, name: str, token: StoredToken) -> FoundSession | None:
        for one in self.listing.usable():
            if one.name != name and one.token and one.token.bot_id == token.bot_id:
                return one
        return None

    def _write_contexts(
        self, change: Change | None, name: str, mine: Mapping[str, StoredContext]
    ) -> None:
        """Merge like every program that writes there: the later message wins, with its token."""
        try:
            there = self.read(name)
            if change is not None and mine:
                nothing = StoredContext()
                both = {user: merged(there.get(user, nothing), one) for user, one in mine.items()}
                change.write_contexts(name, both)
        except FolderError as error:
            self.report.leave_out(name, f"people and counts: {error}")

    def _set_default(self, change: Change | None, ours: list[str]) -> None:
        if not ours:
            return
        theirs = self.listing.default_name
        is_chosen = any(one.name == theirs for one in self.listing.usable())
        if is_chosen and theirs not in (ours[0], "") and not self.replace:
            self.report.add(ours[0], f"the default here; “{theirs}” stays the folder's default")
            return
        try:
            if change is not None:
                change.set_default(ours[0])
        except FolderError as error:
            self.report.leave_out(ours[0], f"as the default: {error}")
            return
        self.report.add(ours[0], self.report.did("made the folder's default"))


def _as_stored(session: Session) -> StoredToken:
    """The row as token.json. Raises DecryptionError."""
    return StoredToken(
        bot_id=session.bot_id,
        base_url=session.base_url,
        token=session.token,
        user_id=session.owner_id,
        cursor=session.cursor,
        created_at_s=session.bound_at.timestamp() if session.bound_at else 0.0,
    )


def _contexts_of(session: Session) -> tuple[dict[str, StoredContext], int]:
    """Contexts by WeChat id, and the number of unreadable ones."""
    found: dict[str, StoredContext] = {}
    unreadable = 0
    for row in session.contexts.order_by("pk"):
        try:
            found[row.user_id] = _entry(row)
        except DecryptionError:
            unreadable += 1
    return found, unreadable


def _entry(row: Context) -> StoredContext:
    replied = row.last_reply_at
    return StoredContext(
        token=row.token,
        received_at_s=row.received_at.timestamp(),
        replies_used=row.replies_used,
        replied_at_s=replied.timestamp() if replied else 0.0,
        first_seen_s=row.first_seen_at.timestamp(),
    )
