"""Makes a backup while the console runs.

The order keeps what was received: the session folder first (an older cursor only repeats), then
the spool, then the database; an answer that leaves the spool meanwhile is in the database by then.
The spool is looked at once more, and the files come last, since one too many does no harm. So the
backup holds everything that was received before it began.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from django.conf import settings

from messaging.receiving.recorder import spool_folder
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from weilink_site.backup import manifest as manifests
from weilink_site.backup.manifest import Manifest
from weilink_site.backup.refused import Refused, of_disk
from weilink_site.backup.session_folder import FolderInBackup
from weilink_site.backup.snapshot import Snapshot, open_snapshot
from weilink_site.backup.workplace import publish, taken, workplace
from weilink_site.backup.writing import DATABASES, ArchiveWriter
from weilink_site.version import product_version

Media = Literal["include", "list", "none"]
INCOMING = "incoming"
"""Files in the media folder that are not complete yet."""
TRIAL = ".writable-"
"""What the check of the disk writes and deletes."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Made:
    """`left_out`: the first lines about files that could not be read."""

    path: Path
    size_bytes: int
    manifest: Manifest
    answers: int
    left_out: list[str]


def default_path() -> Path:
    return Path(settings.DATA_DIR) / "backup" / default_name()


def default_name() -> str:
    return f"weilink-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"


def make_backup(path: Path, *, media: Media, force: bool) -> Made:
    """Write everything into `path`. Raises Refused; then no file of that name was made."""
    _check_place(path, force=force)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with workplace(path.parent) as work, _ends_in_order():
            draft = work / path.name
            with ExitStack() as stack:
                archive = stack.enter_context(closing(ArchiveWriter(draft)))
                snapshot = stack.enter_context(closing(open_snapshot()))
                answers = _fill(archive, snapshot, work, media)
                made = archive.finish(_manifest(snapshot, archive, media))
                left_out = archive.first_left_out(SHOWN)
            publish(draft, path, force=force)
        record(Action.BACKUP_MADE, Subject(Kind.INSTALLATION), place=str(path), media=media)
        return Made(path, path.stat().st_size, made, answers, left_out)
    except OSError as error:
        raise of_disk(error, "The backup") from error


def _check_place(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise Refused(f"{path} is a folder: name a file in it.")
    if path.exists() and not force:
        raise taken(path)
    place = Path(os.path.realpath(path))
    for folder in (settings.MEDIA_ROOT, settings.WEILINK_BASE_PATH):
        if place.is_relative_to(os.path.realpath(folder)):
            raise Refused(f"{path} lies in {folder}, which is backed up: choose another folder.")


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """SIGTERM ends the command like Ctrl+C does, so that the workplace is deleted."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fill(archive: ArchiveWriter, snapshot: Snapshot, work: Path, media: Media) -> int:
    """Returns how many answers of the spool are in the archive."""
    folder = FolderInBackup(Path(settings.WEILINK_BASE_PATH), work)
    folder.is_there = folder.is_there and settings.WEILINK_STORE == "files"
    spool = spool_folder(Path(settings.DATA_DIR))
    answers: set[str] = set()
    with folder.locked():
        folder.take()
        _add_spool(archive, spool, answers)
        snapshot.pin()
    folder.add_to(archive)
    copy = work / "database"
    snapshot.write(copy)
    archive.add(DATABASES[snapshot.kind], copy)
    copy.unlink()
    _add_spool(archive, spool, answers)
    if folder.is_there:
        folder.add_store_to(archive)
    if media != "none":
        _add_media(archive, Path(settings.MEDIA_ROOT), is_list=media == "list")
    return len(answers)


def _add_spool(archive: ArchiveWriter, spool: Path, known: set[str]) -> None:
    """Answers that the database does not have yet. One that is gone was stored meanwhile."""
    found = sorted(spool.iterdir()) if spool.is_dir() else []
    for path in found:
        if path.suffix not in (".answer", ".unreadable") or path.name in known:
            continue
        if path.exists() and archive.add(f"spool/{path.name}", path):
            known.add(path.name)


def _add_media(archive: ArchiveWriter, root: Path, *, is_list: bool) -> None:
    for path in _files_below(root, archive):
        name = path.relative_to(root).as_posix()
        if is_list:
            try:
                archive.list_media(name, path.stat().st_size)
            except FileNotFoundError:
                archive.leave_out(f"media/{name}", "it is gone")
        else:
            archive.add(f"media/{name}", path)
            archive.listed += 1


def _files_below(root: Path, archive: ArchiveWriter) -> Iterator[Path]:
    """In order, one folder's names in memory at a time."""

    def unreadable(error: OSError) -> None:
        if Path(error.filename) != root:
            name = Path(error.filename).relative_to(root).as_posix()
            archive.leave_out(f"media/{name}", error.strerror or "it cannot be opened")

    for folder, folders, files in os.walk(root, onerror=unreadable):
        if Path(folder) == root and INCOMING in folders:
            folders.remove(INCOMING)
        folders.sort()
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith(TRIAL))


def _manifest(snapshot: Snapshot, archive: ArchiveWriter, media: Media) -> Manifest:
    return Manifest(
        version=product_version(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        kind=snapshot.kind,
        source=snapshot.source,
        server=snapshot.server,
        schema=snapshot.schema,
        migrations=snapshot.migrations,
        rows=snapshot.rows,
        media=media,
        media_files=archive.listed,
        store=settings.WEILINK_STORE,
        keys=manifests.key_fingerprints(),
        secret_key=manifests.secret_key_mark(),
    )
