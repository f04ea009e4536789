"""Nobody else on this machine reads the data: folders are 0700, files 0600.

The umask (`settings`) makes them so. What an older version left open is closed at the next start.
"""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

OWNER = stat.S_IRWXU
CACHE = "cache"
"""`var/cache` of a checkout holds what installing and testing keep there, and no data."""
OURS = (
    "backup", "credential_keys", "demo", "gathered_static", "incoming", "login.txt", "media",
    "mirror.lock", "secret_key", "simulator.json", "spool",
)  # fmt: skip
"""What the data folder holds beside the database."""


def close_to_others() -> None:
    """Take the rights of group and others from the data.

    A data folder is looked into only if it is open itself: nobody reaches a file inside a closed
    one. A folder that holds other things, too, stays as it is; of it only our own is closed.
    """
    folder = Path(settings.DATA_DIR)
    try:
        entries = list(folder.iterdir()) if folder.stat().st_mode & 0o777 & ~OWNER else []
    except OSError:
        return  # `unwritable` says so
    database = _database()
    ours = [one for one in entries if one.name in OURS or (database and _is_of(database, one))]
    for path in ours:
        for one in [*_inside(path), path]:
            _close(one)
    if {one.name for one in entries} <= {one.name for one in ours} | {CACHE}:
        _close(folder)


def _database() -> Path | None:
    database = settings.DATABASES["default"]
    return Path(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else None


def _is_of(database: Path, path: Path) -> bool:
    """The database itself, or `-wal`, `-shm` and the lock beside it."""
    return path.name == database.name or path.name.startswith(
        (f"{database.name}-", f"{database.name}.")
    )


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        yield from (Path(root, name) for name in [*folders, *files])


def _close(path: Path) -> None:
    """A symbolic link and a file of another user stay as they are."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o777 & ~OWNER:
            path.chmod(mode & OWNER)
    except OSError as error:
        logger.warning("%s can be read by others and could not be closed: %s", path.name, error)
