"""Reads a session's token file as another program would, for tests of what was written there."""

import contextlib

from sessions_app.folder.store import disk
from sessions_app.folder.store.folder import SessionFolder
from sessions_app.folder.store.values import StoredToken


def read_token(folder: SessionFolder, name: str) -> StoredToken | None:
    """None when logged out. BadSessionName, BrokenFileError, UnsafeEntryError."""
    with contextlib.suppress(FileNotFoundError), folder._place(name) as place:
        fields = disk.read_object(place.folder, place.token_file)
        return StoredToken.from_json(fields) if fields is not None else None
    return None
