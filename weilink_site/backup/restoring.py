"""Restores a backup: checks it whole, puts everything beside what is there, then switches.

The database comes first in the switch: it is held, so nothing works with it before the session
folder and the spool have followed. Restoring again after a crash completes it.
"""

import hashlib
import itertools
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.loader import MigrationLoader

from messaging.folder_sync.store_file import key_of
from messaging.models import Attachment, Upload
from messaging.receiving.recorder import spool_folder
from sessions_app.board.queries import unreadable_tokens
from sessions_app.models import SharedFolder, WorkerBeat
from weilink_site.backup.databases import RestoredDatabase, database_to_restore
from weilink_site.backup.manifest import KIND_NAMES, Manifest
from weilink_site.backup.reading import Archive, Content
from weilink_site.backup.refused import Refused, of_disk
from weilink_site.backup.session_folder import FolderToRestore
from weilink_site.backup.workplace import sync_folder, workplace
from weilink_site.backup.writing import DATABASES, MEDIA_LIST, PIECE
from weilink_site.copying import checks
from weilink_site.copying.held import hold_restored
from weilink_site.host.data_lock import DataInUse, DataLock
from weilink_site.version import product_version

SHOWN = 20


@dataclass(slots=True)
class Restored:
    """`aside`: where the former data is now. `missing`: names of files that messages refer to."""

    manifest: Manifest
    unconfirmed: int = 0
    media_files: int = 0
    answers: int = 0
    folder_files: int = 0
    missing_files: int = 0
    missing: list[str] = field(default_factory=list)
    lost_tokens: int = 0
    is_media_list: bool = False
    aside: list[str] = field(default_factory=list)


def check_backup(path: Path) -> Manifest:
    """Whether it is complete, unchanged and can be read with the keys here. Raises Refused."""
    with Archive(path) as archive:
        return archive.verify()


def restore_backup(path: Path, *, replace: bool) -> Restored:
    """Raises Refused; then the data here is as it was, apart from files that were added."""
    try:
        with Archive(path) as archive, ExitStack() as stack:
            manifest = archive.verify()
            _check_release(manifest)
            database = database_to_restore()
            stack.callback(database.discard)
            database.check(manifest, replace=replace)
            _check_nobody_works(stack)
            folder = _folder(stack)
            if folder is not None:
                folder.check(replace=replace)
            return _Restoring(archive, manifest, database, folder).run()
    except OSError as error:
        raise of_disk(error, "The restore") from error
    finally:
        connections.close_all()


def _check_release(manifest: Manifest) -> None:
    kind = connection.vendor
    if manifest.kind != kind:
        raise Refused(
            f"The backup is of {KIND_NAMES[manifest.kind]} and DATABASE_URL names "
            f"{KIND_NAMES[kind]}: restore it into {KIND_NAMES[manifest.kind]}"
            + (", then move it with copy_database." if manifest.kind == "sqlite" else ".")
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    unknown = [name for name in manifest.migrations if name not in known]
    if unknown or _numbers(manifest.version) > _numbers(product_version()):
        raise Refused(
            f"The backup is of release {manifest.version}, and this is {product_version()}, which "
            "is older: install that release or a newer one."
        )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3]]


def _folder(stack: ExitStack) -> FolderToRestore | None:
    """The session folder, locked; None if sessions are in the database only."""
    if settings.WEILINK_STORE != "files":
        return None
    folder = FolderToRestore(Path(settings.WEILINK_BASE_PATH))
    stack.callback(folder.release)
    stack.callback(folder.forget_staged)
    folder.lock()
    folder.forget_staged()  # what a killed restore left
    return folder


def _check_nobody_works(stack: ExitStack) -> None:
    lock = DataLock()
    try:
        lock.take()
    except DataInUse:
        raise Refused("A console runs on this data: stop it first.") from None
    stack.callback(lock.release)
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).is_file():
        return  # asking would make the file
    try:
        if WorkerBeat._meta.db_table in connection.introspection.table_names():
            checks.check_nobody_works("The database")
    except DatabaseError:
        pass  # it cannot be read, and is replaced only because --replace says so
    finally:
        connection.close()


class _Restoring:
    def __init__(
        self,
        archive: Archive,
        manifest: Manifest,
        database: RestoredDatabase,
        folder: FolderToRestore | None,
    ) -> None:
        self._archive, self._manifest = archive, manifest
        self._database, self._folder = database, folder
        self._stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        self._media = Path(settings.MEDIA_ROOT)
        self._spool = spool_folder(Path(settings.DATA_DIR))
        self._result = Restored(manifest)

    def run(self) -> Restored:
        data = Path(connection.settings_dict["NAME"]).parent
        beside = data if connection.vendor == "sqlite" else Path(settings.DATA_DIR)
        beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with workplace(beside) as work, workplace(self._spool) as spool:
            for info, content in self._archive.members():
                self._take(info, content, work, spool)
            os.sync()  # the files, before rows that refer to them
            self._fill_database()
            self._switch(spool)
        return self._result

    def _take(self, info: tarfile.TarInfo, content: Content, work: Path, spool: Path) -> None:
        area, _, name = info.name.partition("/")
        result = self._result
        if info.name == DATABASES[self._manifest.kind]:
            dump = work / "database"
            _write(dump, content)
            self._database.load(dump)
        elif area == "media":
            self._place(self._media / name, info, content)
            result.media_files += 1
        elif area == "spool":
            _write(spool / Path(name).name, content)
            result.answers += 1
        elif area == "folder" and self._folder is not None:
            self._folder.stage(info.name, content)
            result.folder_files += 1
        elif info.name == MEDIA_LIST:
            result.is_media_list = self._manifest.media == "list"

    def _place(self, path: Path, info: tarfile.TarInfo, content: Content) -> None:
        """Put a file into the media folder. Another one of its name is kept beside it."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".restoring-{path.name}"[:255])
        try:
            _write(draft, content)
            if path.exists():
                if _same(path, draft):
                    return
                path.rename(path.with_name(f"{path.name}.before-restore-{self._stamp}"))
            os.utime(draft, (info.mtime, info.mtime))
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)

    def _fill_database(self) -> None:
        """Everything that the restored database needs before it may be seen."""
        if self._database.rows() != self._manifest.rows:
            raise Refused("The restored tables have other numbers of rows than the backup says.")
        result = self._result
        with self._database.opened():
            call_command("migrate", interactive=False, verbosity=0)
            made_at = datetime.fromisoformat(self._manifest.made_at)
            words = f"{self._manifest.source} (backup of {made_at:%Y-%m-%d %H:%M} UTC)"
            result.unconfirmed = hold_restored(copy_of=words)
            result.lost_tokens = len(unreadable_tokens()[0])
            if self._folder is not None and (key := key_of(self._folder.staged)):
                # The history of the SDK is the same, though its file is a new one.
                SharedFolder.objects.exclude(store_key="").update(store_key=key)
            for name in _stored_names():
                if not os.path.lexists(self._media / name):
                    result.missing_files += 1
                    if len(result.missing) < SHOWN:
                        result.missing.append(name)

    def _switch(self, spool: Path) -> None:
        """Answers that wait here already stay: they were received for the same accounts."""
        aside = [self._database.switch(self._stamp)]
        if self._folder is not None:
            kept = self._folder.switch(self._stamp)
            aside.append(str(kept) if kept else "")
        for path in sorted(spool.iterdir()):
            path.rename(self._spool / path.name)
        sync_folder(self._spool)
        self._result.aside = [place for place in aside if place]


def _stored_names() -> Iterator[str]:
    for model in (Attachment, Upload):
        rows = model.objects.filter(stored_bytes__gt=0).order_by("pk")
        names = rows.values_list("stored_name", "thumb_name", "sound_name")
        yield from filter(None, itertools.chain.from_iterable(names.iterator(chunk_size=500)))


def _write(path: Path, content: Content) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(content, file, PIECE)
        file.flush()
        if path.name == "database" or path.suffix == ".answer":
            os.fsync(file.fileno())


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as mine, other.open("rb") as theirs:
        digests = [hashlib.file_digest(file, "sha256").digest() for file in (mine, theirs)]
    return digests[0] == digests[1]
