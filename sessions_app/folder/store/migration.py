"""Migrates the layout before 0.5.0, which had token.json and contexts.json in the base.

They are moved into `default/` under the data lock, so that two processes take turns. The contexts
move first: if the process is killed in between, the flat token remains and the next run finishes
the move.
"""

import contextlib

from sessions_app.sessions import names

from . import disk
from .values import CONTEXTS_FILE, TOKEN_FILE


def is_due(base: int) -> bool:
    """Whether the base has a flat token.json and `default/` has none."""
    if not disk.exists(base, TOKEN_FILE):
        return False
    with contextlib.suppress(FileNotFoundError), disk.subfolder(base, names.DEFAULT) as folder:
        return not disk.exists(folder, TOKEN_FILE)
    return True


def migrate(base: int) -> bool:
    """Move the files if needed; returns whether it was.

    Raises UnsafeEntryError for links, which stay.
    """
    if not is_due(base):
        return False
    for name in (TOKEN_FILE, CONTEXTS_FILE):
        disk.refuse_link(base, name)
    with disk.subfolder(base, names.DEFAULT, make=True) as folder:
        for name in (CONTEXTS_FILE, TOKEN_FILE):
            if disk.exists(folder, name):
                continue
            # An SDK migrates without a lock and may have moved the file already.
            with contextlib.suppress(FileNotFoundError):
                disk.move(name, name, folder=base, new_folder=folder)
                disk.tighten(folder, name)
    return True
