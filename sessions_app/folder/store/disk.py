"""Reading and replacing single files of the folder, by descriptors of the folders they lie in.

A symbolic link is never followed and a half-written file never seen: temporary file beside the
target, fsync, rename, fsync of the folder. Folders are 700, files 600.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .errors import BrokenFileError, NotWrittenError, UnsafeEntryError

JsonObject = dict[str, object]

FOLDER_MODE = 0o700
FILE_MODE = 0o600
MAX_FILE_BYTES = 64 * 1024 * 1024
DRAFT_SUFFIX = ".console-draft"
"""One draft per file, so that what a killed writer left is replaced by the next one."""

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def base_folder(base: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the base folder, which may be reached through links; FileNotFoundError."""
    if make:
        try:
            base.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as exc:
            raise _not_written(base.name, exc) from exc
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def subfolder(parent: int, name: str, *, make: bool = False) -> Iterator[int]:
    """A descriptor of a folder inside; UnsafeEntryError for a link or a file, FileNotFoundError."""
    if make:
        try:
            os.mkdir(name, FOLDER_MODE, dir_fd=parent)
        except FileExistsError:
            pass
        except OSError as exc:
            raise _not_written(name, exc) from exc
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise UnsafeEntryError(f"“{name}” is no folder of its own.", name) from exc
    try:
        if make:
            os.fchmod(descriptor, FOLDER_MODE)
        yield descriptor
    finally:
        os.close(descriptor)


def read_bytes(folder: int, name: str) -> bytes | None:
    """The whole of a plain file; None when there is none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UnsafeEntryError(f"{name} cannot be opened, or is a link.", name) from exc
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeEntryError(f"{name} is no plain file.", name)
        if found.st_size > MAX_FILE_BYTES:
            raise BrokenFileError(f"{name} is too large.", name)
        return file.read(MAX_FILE_BYTES)


def read_object(folder: int, name: str) -> JsonObject | None:
    """A JSON object; None when there is no such file, BrokenFileError for anything else."""
    content = read_bytes(folder, name)
    if content is None:
        return None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        # Without its cause, which would hold the file's text.
        raise BrokenFileError(f"{name} is broken: it is not JSON.", name) from None
    if not isinstance(value, dict):
        raise BrokenFileError(f"{name} is broken: it holds no JSON object.", name)
    return value


def write_object(folder: int, name: str, value: JsonObject) -> None:
    """Replace a JSON file whole, or not at all; NotWrittenError, UnsafeEntryError."""
    write_bytes(folder, name, json.dumps(value, indent=2).encode("ascii"))


def write_bytes(folder: int, name: str, content: bytes) -> None:
    """Replace a file whole, or not at all; whoever calls holds the lock that guards it."""
    refuse_link(folder, name)
    draft = f".{name}{DRAFT_SUFFIX}"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
        _write_new(folder, draft, content)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except OSError as exc:
        raise _not_written(name, exc) from exc


def _write_new(folder: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, FILE_MODE, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, FILE_MODE)  # whatever the umask took away
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def refuse_link(folder: int, name: str) -> None:
    """UnsafeEntryError when something other than a plain file has this name."""
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeEntryError(f"{name} is no plain file.", name)


def remove(folder: int, name: str) -> None:
    """Forget a file and what a killed writer left of it."""
    try:
        for each in (name, f".{name}{DRAFT_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(each, dir_fd=folder)
        os.fsync(folder)
    except OSError as exc:
        raise _not_written(name, exc) from exc


def remove_folder(parent: int, name: str) -> None:
    """Remove a folder that is empty; one that is not, or is none, stays."""
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=parent)
        os.fsync(parent)


def exists(folder: int, name: str) -> bool:
    """Whether anything has this name, a dangling link too."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def move(name: str, new_name: str, *, folder: int, new_folder: int) -> None:
    """Move within the file system; it replaces a file of that name, so look first."""
    try:
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder)
        os.fsync(new_folder)
        os.fsync(folder)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise _not_written(name, exc) from exc


def tighten(folder: int, name: str) -> None:
    """Mode 600 for a plain file that another program wrote; a link stays as it is."""
    with contextlib.suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=folder)
        try:
            os.fchmod(descriptor, FILE_MODE)
        finally:
            os.close(descriptor)


def _not_written(name: str, exc: OSError) -> NotWrittenError:
    reason = os.strerror(exc.errno) if exc.errno else "unknown reason"
    return NotWrittenError(f"{name} could not be written ({reason}).", name)
