"""`sessions import`: creates sessions in this database from a folder.

The folder is not changed: nothing is written, not even a lock file, and the old flat layout is not
moved. A session that is connected here is kept, unless `replace` was requested.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sessions_app.folder.mirror import Conversations
from sessions_app.folder.store import (
    FolderBusyError,
    FolderError,
    FoundSession,
    KeptAnswer,
    Listing,
    SessionFolder,
    StoredContext,
    StoredToken,
)
from sessions_app.folder.transfer import judging, storing
from sessions_app.folder.transfer.judging import Action, Verdict
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
from sessions_app.recording.actions import Action as Recorded
from sessions_app.recording.actions import Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions.names import SessionNameError

FLAT_TOKEN = "token.json"  # noqa: S105 - a file's name
Keep = Callable[[KeptAnswer], bool]
"""Stores an answer that a program received and nobody read. Returns whether that succeeded."""


@dataclass(frozen=True, slots=True)
class Found:
    """One session of the folder with its contexts. `problem`: why its contexts cannot be read."""

    session: FoundSession
    contexts: dict[str, StoredContext]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FolderContent:
    """The content of the folder, read under its locks."""

    listing: Listing
    found: list[Found]
    answers: list[KeptAnswer]


def import_folder(
    path: Path,
    *,
    conversations: Conversations,
    keep: Keep,
    dry_run: bool = False,
    replace: bool = False,
) -> Report:
    """Import what can be imported. Raises Refused. `Report` lists what was left out."""
    refuse_followed(path)
    if not path.is_dir():
        is_there = path.exists() or path.is_symlink()
        reason = "is not a folder" if is_there else "is not there"
        raise Refused(f"{escaped(str(path))} {reason}.")
    folder = SessionFolder(path, flat_default=FLAT_TOKEN)
    try:
        # Hold the lock to the end, so that no program starts receiving meanwhile.
        with folder.poll_lock.borrow(limit_s=0):
            content = _read(folder)
            return _Import(content, conversations, keep, Report(dry_run), replace).run(path)
    except FolderBusyError as busy:
        if busy.name == folder.data_lock.path.name:
            raise is_busy(path, folder.data_lock, busy) from busy
        raise is_receiving(path, folder.poll_lock) from busy
    except FolderError as error:
        raise Refused(f"{escaped(str(path))} cannot be read: {error}") from error


def _read(folder: SessionFolder) -> FolderContent:
    try:
        with folder.data_lock.borrow(limit_s=LOCK_WAIT_S):
            listing = folder.scan()
            found = [_with_contexts(folder, one) for one in listing.sessions]
            return FolderContent(listing, found, folder.kept_answers(tidy=False))
    except OSError as error:
        raise Refused(
            f"{escaped(str(folder.base))} cannot be read ({error.strerror or 'unknown reason'})."
        ) from error


def _with_contexts(folder: SessionFolder, found: FoundSession) -> Found:
    if found.token is None:
        return Found(found, {})
    # After an interrupted move of the flat layout, the contexts may already be in the new place.
    places = (SessionFolder(folder.base), folder)
    try:
        read = (place.read_contexts(found.name) for place in places)
        return Found(found, next((entries for entries in read if entries), {}))
    except FolderError as error:
        return Found(found, {}, str(error))


@dataclass(slots=True)
class _Import:
    """One run. Every session is judged, then imported in a transaction of its own."""

    content: FolderContent
    conversations: Conversations
    keep: Keep
    report: Report
    replace: bool

    def run(self, path: Path) -> Report:
        default_before = storing.connected_default()
        # Oldest binding first: the newest binding of a WeChat account is the live one.
        went = [
            one for one in sorted(self.content.found, key=_bound_at) if self._import_session(one)
        ]
        self.report.went = len(went)
        if went and not self.report.dry_run:
            subject = Subject(Kind.FOLDER, name=escaped(str(path)))
            record(Recorded.SESSIONS_IMPORTED, subject, count=len(went))
        if self.content.listing.default_name in {one.session.name for one in went}:
            self._import_default(self.content.listing.default_name, default_before)
        if went:
            self.report.advice = (
                f"Stop every program on {escaped(str(path))} for good: the console receives for "
                "these bots from now on, and two that receive for one bot take each other's "
                "messages."
            )
        return self.report

    def _import_session(self, one: Found) -> bool:
        name, token = one.session.name, one.session.token
        if token is None:
            self.report.leave_out(name, one.session.reason)
            return False
        judged = judging.verdict(name, token, replace=self.replace)
        if judged.sentence:
            self.report.leave_out(name, judged.sentence)
            return False
        session = None
        try:
            if not self.report.dry_run:
                session = storing.store_session(name, token, judged, replace=self.replace)
        except (SessionNameError, storing.Changed) as error:
            self.report.leave_out(name, str(error))
            return False
        good = storing.storable(one.contexts)
        self.report.add(name, self._result_text(judged, token, len(good)))
        self._store_answers(name, token.bot_id)
        if session is not None:
            storing.store_contexts(session, good, self.conversations)
        self._report_losses(one, len(good))
        return True

    def _result_text(self, judged: Verdict, token: StoredToken, count: int) -> str:
        imported = self.report.did("imported")
        said = {
            Action.ADD: imported,
            Action.CONNECT: f"{imported} into the session of that name here",
            Action.REPLACE: f"{imported} in place of the session here",
            Action.REFRESH: "is here already with these credentials; people and counts "
            + self.report.did("brought up to date"),
        }
        return f"{said[judged.action]}: bot {token.bot_id}, {people(count)}"

    def _report_losses(self, one: Found, taken: int) -> None:
        name, lost = one.session.name, len(storing.with_tokens(one.contexts)) - taken
        if one.problem:
            self.report.leave_out(name, f"people and counts: {one.problem}")
        if lost:
            self.report.leave_out(name, f"{people(lost)}, whose entry no database can hold.")

    def _store_answers(self, name: str, bot_id: str) -> None:
        answers = [one for one in self.content.answers if one.bot_id == bot_id]
        lost = 0 if self.report.dry_run else sum(not self.keep(one) for one in answers)
        if stored := len(answers) - lost:
            words = f"answers of WeChat that a program received and nobody read: {stored} "
            self.report.add(name, words + self.report.did("stored"))
        if lost:
            self.report.leave_out(name, f"answers of WeChat that cannot be read: {lost}")

    def _import_default(self, name: str, before: str) -> None:
        if before and before != name and not self.replace:
            words = f"the folder's default; “{before}” stays the default here"
            self.report.add(name, words)
            return
        if not self.report.dry_run:
            storing.make_default(name)
        self.report.add(name, self.report.did("made the default"))


def _bound_at(one: Found) -> tuple[float, str]:
    token = one.session.token
    return (token.created_at_s if token else 0.0, one.session.name)
