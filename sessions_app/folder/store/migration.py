"""The layout before 0.5.0: token.json and contexts.json directly in the base move into `default/`.

Runs under the data lock, so that two processes at once are one after the other. Contexts go
first: whoever is killed in between leaves a flat token, and the next one finishes the move.
"""

import contextlib

from sessions_app.sessions import names

from . import disk
from .values import CONTEXTS_FILE, TOKEN_FILE


def is_due(base: int) -> bool:
    """Whether a flat token.json waits and `default/` has none."""
    if not disk.exists(base, TOKEN_FILE):
        return False
    with contextlib.suppress(FileNotFoundError), disk.subfolder(base, names.DEFAULT) as folder:
        return not disk.exists(folder, TOKEN_FILE)
    return True


def migrate(base: int) -> bool:
    """Move what is due; whether there was anything. UnsafeEntryError for links, which stay."""
    if not is_due(base):
        return False
    for name in (TOKEN_FILE, CONTEXTS_FILE):
        disk.refuse_link(base, name)
    with disk.subfolder(base, names.DEFAULT, make=True) as folder:
        for name in (CONTEXTS_FILE, TOKEN_FILE):
            if disk.exists(folder, name):
                continue
            # An SDK migrates without a lock: it may be quicker than we are.
            with contextlib.suppress(FileNotFoundError):
                disk.move(name, name, folder=base, new_folder=folder)
                disk.tighten(folder, name)
    return True
