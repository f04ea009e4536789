"""Where a backup is put together: nothing appears under its final name before it is complete."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from weilink_site.backup.refused import Refused

PREFIX = ".weilink-backup-"


@contextlib.contextmanager
def workplace(beside: Path) -> Iterator[Path]:
    """A temporary folder in the folder `beside`, so that a rename ends in the final place.

    What killed processes left in the same folder is deleted: nobody holds its lock any more.
    """
    for left in beside.glob(f"{PREFIX}*"):
        _sweep(left)
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
    handle = _locked(made)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _sweep(left: Path) -> None:
    handle = _locked(left)
    if handle is not None:
        shutil.rmtree(left, ignore_errors=True)
        os.close(handle)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock. None: another process holds it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def publish(draft: Path, final: Path, *, force: bool) -> None:
    """Give a complete, synced file its final name. Raises Refused if the name is taken."""
    if force:
        os.replace(draft, final)
    else:
        try:
            os.link(draft, final)
        except FileExistsError:
            raise taken(final) from None
        except OSError:  # a file system without links, as on some network disks
            if final.exists():
                raise taken(final) from None
            draft.rename(final)
    sync_folder(final.parent)


def taken(final: Path) -> Refused:
    return Refused(f"{final} exists already: choose another name, or overwrite it with --force.")


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


sync_folder = sync
