"""Where the files of one session are: in a folder of its own, or for old code in the base.

Every name is checked by the contract's rule before it becomes part of a path.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from sessions_app.sessions import names

from . import disk
from .errors import UnsafeEntryError
from .values import CONTEXTS_FILE, TOKEN_FILE


@dataclass(frozen=True, slots=True)
class Place:
    """An open folder and the name of the token file in it.

    `is_own`: it is the session's own folder.
    """

    folder: int
    token_file: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """`flat_default`: the file in the base that stores the session `default`, or ""."""

    flat_default: str = ""

    @contextlib.contextmanager
    def place(self, base: int, name: str, *, make: bool = False) -> Iterator[Place]:
        """Open a session's folder. Raises BadSessionName, FileNotFoundError, UnsafeEntryError."""
        if names.clean_session_name(name) != name:
            raise UnsafeEntryError(f"“{name}” is not written in Unicode's normal form.", name)
        if name == names.DEFAULT and self._is_flat(base):
            yield Place(base, self.flat_default, is_own=False)
            return
        with disk.subfolder(base, name, make=make) as folder:
            yield Place(folder, TOKEN_FILE, is_own=True)

    def _is_flat(self, base: int) -> bool:
        """Whether the flat file is used: only while no folder `default` has a token."""
        if not self.flat_default:
            return False
        with contextlib.suppress(FileNotFoundError), disk.subfolder(base, names.DEFAULT) as folder:
            return not disk.exists(folder, TOKEN_FILE)
        return True


def is_session_folder(base: int, name: str) -> bool:
    """Whether a folder contains a session's files, judging by file names only."""
    with disk.subfolder(base, name) as folder:
        return disk.exists(folder, TOKEN_FILE) or disk.exists(folder, CONTEXTS_FILE)


def entries(base: int) -> list[os.DirEntry[str]]:
    with os.scandir(base) as found:
        return sorted(found, key=lambda entry: entry.name)
