"""Checks whether the data and media folders can be written."""

import errno
import os
import secrets
from pathlib import Path

LEAST_BYTES = 8 * 1024 * 1024
"""With less space left, a transaction or a file may not fit, so the disk counts as full."""
TRIED_BYTES = 4096


def try_writing(folder: Path) -> None:
    """Write a little and delete it again.

    Raises OSError, with ENOSPC also if little space is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".writable-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        path.write_bytes(b"\0" * TRIED_BYTES)
    finally:
        path.unlink(missing_ok=True)
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < LEAST_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def state_of(folder: Path) -> str:
    """One word: ok, full, or read-only for every other reason."""
    try:
        try_writing(folder)
    except OSError as error:
        return "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "read-only"
    return "ok"
