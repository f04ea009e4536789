"""Reads and replaces single files of the session folder, relative to open folder descriptors.

Symbolic links are never followed. Writes are atomic: temporary file beside the target, fsync,
rename, fsync of the folder. Folders have mode 700, files 600.
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
"""Each file has one temporary name, so that the next writer overwrites a killed one's leftover."""

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


@contextlib.contextmanager
def base_folder(base: Path, *, make: bool = False) -> Iterator[int]:
    """Open the base folder, which may be reached through links. Raises FileNotFoundError."""
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
    """Open a folder inside `parent`.

    Raises UnsafeEntryError for a link or file, or FileNotFoundError.
    """
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
        raise UnsafeEntryError(f"“{name}” is not a real folder.", name) from exc
    try:
        if make:
            os.fchmod(descriptor, FOLDER_MODE)
        yield descriptor
    finally:
        os.close(descriptor)


def read_bytes(folder: int, name: str) -> bytes | None:
    """The content of a regular file, or None if it does not exist."""
    try:
        descriptor = os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UnsafeEntryError(f"{name} cannot be opened, or is a link.", name) from exc
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeEntryError(f"{name} is not a regular file.", name)
        if found.st_size > MAX_FILE_BYTES:
            raise BrokenFileError(f"{name} is too large.", name)
        return file.read(MAX_FILE_BYTES)


def read_object(folder: int, name: str) -> JsonObject | None:
    """A JSON object, or None if the file does not exist.

    Raises BrokenFileError for anything else.
    """
    content = read_bytes(folder, name)
    if content is None:
        return None
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        # Suppress the cause, which contains the file's text.
        raise BrokenFileError(f"{name} is broken: it is not JSON.", name) from None
    if not isinstance(value, dict):
        raise BrokenFileError(f"{name} is broken: it is not a JSON object.", name)
    return value


def write_object(folder: int, name: str, value: JsonObject) -> None:
    """Replace a JSON file atomically. Raises NotWrittenError or UnsafeEntryError."""
    write_bytes(folder, name, json.dumps(value, indent=2).encode("ascii"))


def write_bytes(folder: int, name: str, content: bytes) -> None:
    """Replace a file atomically. The caller holds the lock that guards it."""
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
        os.fchmod(descriptor, FILE_MODE)  # set the mode despite the umask
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def refuse_link(folder: int, name: str) -> None:
    """Raise UnsafeEntryError if the name belongs to something other than a regular file."""
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeEntryError(f"{name} is not a regular file.", name)


def remove(folder: int, name: str) -> None:
    """Delete a file and the temporary file that a killed writer may have left."""
    try:
        for each in (name, f".{name}{DRAFT_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(each, dir_fd=folder)
        os.fsync(folder)
    except OSError as exc:
        raise _not_written(name, exc) from exc


def remove_folder(parent: int, name: str) -> None:
    """Remove a folder if it is empty. Does nothing if it has content or does not exist."""
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=parent)
        os.fsync(parent)


def exists(folder: int, name: str) -> bool:
    """Whether the name exists, also as a dangling link."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def move(name: str, new_name: str, *, folder: int, new_folder: int) -> None:
    """Move within the file system. Replaces an existing file of that name, so check first."""
    try:
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder)
        os.fsync(new_folder)
        os.fsync(folder)
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise _not_written(name, exc) from exc


def tighten(folder: int, name: str) -> None:
    """Set mode 600 on a regular file that another program wrote. Leaves links alone."""
    with contextlib.suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | _NO_LINK, dir_fd=folder)
        try:
            os.fchmod(descriptor, FILE_MODE)
        finally:
            os.close(descriptor)


def _not_written(name: str, exc: OSError) -> NotWrittenError:
    reason = os.strerror(exc.errno) if exc.errno else "unknown reason"
    return NotWrittenError(f"{name} could not be written ({reason}).", name)
