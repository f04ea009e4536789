"""The session folder shared with the `weilink` SDK: layout, locks, tokens, contexts, migration.

No Django and no network. All public names are exported here. Only `FolderLock.try_take` and the
pure functions may be called in an event loop.
"""

from .disk import FILE_MODE, FOLDER_MODE
from .errors import (
    BrokenFileError,
    FolderAbsentError,
    FolderBusyError,
    FolderError,
    NotWrittenError,
    UnknownSessionError,
    UnsafeEntryError,
)
from .folder import LOCK_LIMIT_S, Change, SessionFolder
from .holders import holder_of, is_stopped
from .locks import TRY_EVERY_S, FolderLock, HeldLock, StopEvent
from .merging import merged
from .retired import digest
from .scanning import Memory, Signature
from .tally import Tally, counted, given_back, observed, on_new_token, written
from .undelivered import KeptAnswer
from .values import FoundSession, Listing, Problem, StoredContext, StoredToken, is_plain

__all__ = [
    "FILE_MODE",
    "FOLDER_MODE",
    "LOCK_LIMIT_S",
    "TRY_EVERY_S",
    "BrokenFileError",
    "Change",
    "FolderAbsentError",
    "FolderBusyError",
    "FolderError",
    "FolderLock",
    "FoundSession",
    "HeldLock",
    "KeptAnswer",
    "Listing",
    "Memory",
    "NotWrittenError",
    "Problem",
    "SessionFolder",
    "Signature",
    "StopEvent",
    "StoredContext",
    "StoredToken",
    "Tally",
    "UnknownSessionError",
    "UnsafeEntryError",
    "counted",
    "digest",
    "given_back",
    "holder_of",
    "is_plain",
    "is_stopped",
    "merged",
    "observed",
    "on_new_token",
    "written",
]
