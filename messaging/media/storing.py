"""Stores files in Django's storage under unguessable names. No database.

An incoming file is written beside the storage and moved in when complete, so a partial file is
never visible.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from messaging.media.kinds import HEAD_BYTES, content_type_of

LEFT_BEHIND_S = 24 * 3_600
_PIECE = 1024 * 1024


class _Movable(File):  # type: ignore[type-arg]
    """A file on disk that the storage can move instead of copying, on the same file system."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def incoming() -> Path:
    """The folder where incoming files are written until they are complete."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder for one incoming file."""
    with tempfile.TemporaryDirectory(dir=incoming(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def sweep_incoming(*, older_than_s: float = LEFT_BEHIND_S) -> None:
    """Delete what killed processes left behind; files still in use are never that old."""
    before = time.time() - older_than_s
    for entry in incoming().iterdir():
        with contextlib.suppress(OSError):
            if entry.stat().st_mtime < before:
                shutil.rmtree(entry)


def take_in(path: Path) -> str:
    """Move a complete file into the storage. Returns its new name."""
    token = secrets.token_hex(20)
    _flush(path)
    with path.open("rb") as opened:
        return default_storage.save(f"{token[:2]}/{token[2:]}", _Movable(opened, name=str(path)))


def _flush(path: Path) -> None:
    """Write to the disk before a row refers to the file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def remove(names: Iterable[str]) -> None:
    """Delete from the storage; a missing file is no error."""
    for name in names:
        with contextlib.suppress(OSError):
            default_storage.delete(name)


def open_stored(name: str) -> IO[bytes]:
    """Open a stored file for reading. Raises FileNotFoundError (an OSError)."""
    opened: IO[bytes] = default_storage.open(name, "rb")
    return opened


def type_of(path: Path) -> str:
    with path.open("rb") as file:
        return content_type_of(file.read(HEAD_BYTES))


def md5_of(path: Path) -> str:
    """The MD5 of the plain bytes, which WeChat requires. Reads in pieces."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
