"""The session folder in a backup: every file encrypted, since it holds credentials in the clear.

In the archive a file is `folder/` and its path. Taken and put back under the folder's own locks.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from messaging.folder_sync.store_file import STORE_FILE
from sessions_app.folder.store import FolderBusyError, FolderError, HeldLock, SessionFolder
from sessions_app.folder.store.disk import DRAFT_SUFFIX
from sessions_app.folder.store.locks import DATA_LOCK, POLL_LOCK
from sessions_app.folder.store.scanning import UNDELIVERED_FOLDER
from sessions_app.folder.store.values import CONTEXTS_FILE, TOKEN_FILE
from weilink_site.backup import encrypted, workplace
from weilink_site.backup.refused import Refused, of_sqlite
from weilink_site.backup.writing import ArchiveWriter

AREA = "folder/"
STAGED, ASIDE, INSIDE = ".restoring", ".before-restore-", "files"
"""Folders in the base. What they hold lies one level deeper, so that nobody takes them for
sessions."""
_LOCKS = {POLL_LOCK, DATA_LOCK}
_STORE_PARTS = {f"{STORE_FILE}{end}" for end in ("", "-wal", "-shm", "-journal")}


class FolderInBackup:
    """`take` under the lock, then `add_to`: both write only into `workplace`."""

    def __init__(self, base: Path, workplace: Path) -> None:
        self.base, self._workplace = base, workplace
        self._taken: list[tuple[str, Path]] = []
        self._left_out: list[tuple[str, str]] = []
        self.is_there = base.is_dir()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody changes credentials, cursors or names within the block."""
        if not self.is_there:
            yield
            return
        lock = SessionFolder(self.base).data_lock
        try:
            held = lock.take(limit_s=30.0)
        except FolderError as error:
            raise Refused(f"The session folder {self.base} cannot be read: {error}") from None
        with held:
            yield

    def take(self) -> None:
        """Copy all small files, encrypted. The history of the SDK follows in `add_to`."""
        for path in _files(self.base, self._left_out) if self.is_there else ():
            name = path.relative_to(self.base).as_posix()
            target = self._workplace / f"folder-{len(self._taken)}"
            try:
                with _opened(path) as file:
                    encrypted.encrypt_file(file, target)
            except FileNotFoundError as error:
                self._left_out.append((name, error.strerror or "it is gone"))
            else:
                self._taken.append((name, target))

    def add_to(self, archive: ArchiveWriter) -> None:
        for name, path in self._taken:
            archive.add(AREA + name, path)
            path.unlink()
        for name, reason in self._left_out:
            archive.leave_out(AREA + name, reason)

    def add_store_to(self, archive: ArchiveWriter) -> None:
        """`messages.db`, after the database: the console goes on where the database ends."""
        store = self.base / STORE_FILE
        if not store.is_file() or store.is_symlink():
            return
        copy, target = self._workplace / "store", self._workplace / "store-encrypted"
        try:
            with (
                contextlib.closing(
                    sqlite3.connect(f"{store.as_uri()}?mode=rw", uri=True)
                ) as source,
                contextlib.closing(sqlite3.connect(copy)) as written,
            ):
                source.backup(written)
                written.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.DatabaseError as error:
            if "full" in str(error):
                raise of_sqlite(error, "The backup of messages.db") from None
            archive.leave_out(AREA + STORE_FILE, f"it cannot be read: {error}")
            return
        with copy.open("rb") as file:
            encrypted.encrypt_file(file, target)
        archive.add(AREA + STORE_FILE, target)
        for path in (copy, target):
            path.unlink()


def _opened(path: Path) -> IO[bytes]:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(handle, "rb")


def _files(base: Path, left_out: list[tuple[str, str]]) -> Iterator[Path]:
    """Files of the base, of sessions and of answers that are not delivered yet."""
    for entry in sorted(os.scandir(base), key=lambda one: one.name):
        if entry.name in _LOCKS | _STORE_PARTS or entry.name.endswith((DRAFT_SUFFIX, ".tmp")):
            continue
        if entry.name == STAGED or entry.name.startswith(ASIDE):
            continue
        path = Path(entry.path)
        if entry.is_symlink():
            left_out.append((entry.name, "it is a link"))
        elif entry.is_file():
            yield path
        elif entry.is_dir() and _is_ours(path):
            for inner in sorted(path.iterdir()):
                if inner.name.endswith((DRAFT_SUFFIX, ".tmp")):
                    continue
                if inner.is_file() and not inner.is_symlink():
                    yield inner
                else:
                    left_out.append((f"{entry.name}/{inner.name}", "it is no regular file"))
        elif entry.is_dir():
            left_out.append((entry.name, "it is no session"))


def _is_ours(folder: Path) -> bool:
    return folder.name == UNDELIVERED_FOLDER or any(
        (folder / name).is_file() for name in (TOKEN_FILE, CONTEXTS_FILE)
    )


class FolderToRestore:
    """`check` and `lock` first, `stage` each file, `switch` at the end."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._staged = base / STAGED / INSIDE
        self._held: list[HeldLock] = []

    def lock(self) -> None:
        """Raises Refused while another program receives or writes here."""
        self.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = SessionFolder(self.base)
        poll = folder.poll_lock.try_take()
        if poll is None:
            raise Refused(
                f"Another program receives from the session folder {self.base}: stop it first."
            )
        self._held.append(poll)
        try:
            self._held.append(folder.data_lock.take(limit_s=5.0))
        except FolderBusyError:
            raise Refused(f"Another program writes into {self.base}: stop it first.") from None

    def check(self, *, replace: bool) -> None:
        """Raises Refused if the folder holds something and must not be replaced."""
        if not replace and (found := self._content()):
            raise Refused(
                f"The session folder {self.base} is not empty ({found[0].name}): choose another "
                "WEILINK_BASE_PATH, or keep the old content aside with --replace."
            )

    def stage(self, name: str, content: encrypted.Readable) -> None:
        target = self._staged / name.removeprefix(AREA)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        encrypted.decrypt_file(content, target)
        target.chmod(0o600)
        workplace.sync(target)

    def forget_staged(self) -> None:
        shutil.rmtree(self.base / STAGED, ignore_errors=True)

    @property
    def staged(self) -> Path:
        return self._staged

    def switch(self, stamp: str) -> Path | None:
        """Put the staged files in place. Returns where the old content is now; None: none was."""
        aside: Path | None = None
        if old := self._content():
            aside = self.base / f"{ASIDE}{stamp}" / INSIDE
            aside.mkdir(mode=0o700, parents=True)
            for path in old:
                path.rename(aside / path.name)
        if self._staged.is_dir():
            for path in sorted(self._staged.iterdir()):
                path.rename(self.base / path.name)
        self.forget_staged()
        workplace.sync_folder(self.base)
        return aside

    def release(self) -> None:
        for held in self._held:
            held.release()
        self._held.clear()

    def _content(self) -> list[Path]:
        kept = _LOCKS | {STAGED}
        return sorted(
            path
            for path in self.base.iterdir()
            if path.name not in kept and not path.name.startswith(ASIDE)
        )
