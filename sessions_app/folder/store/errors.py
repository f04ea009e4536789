"""Errors of the session folder. No Django.

A message is one sentence for an operator. It never contains a token, a cursor or file content.

FolderError               .code, .name (the session or file it is about)
├── FolderAbsentError     the base folder does not exist
├── FolderBusyError       another program holds a lock for longer than the wait limit
├── BrokenFileError       a file is not a JSON object, lacks a field, or is too large
├── UnsafeEntryError      a symbolic link or wrong kind of file has the name of one of ours
├── UnknownSessionError   no such session (also a ValueError)
└── NotWrittenError       the disk is full or read-only, or we lack permission
"""


class FolderError(Exception):
    """Base class. `code` is a short identifier of the class."""

    code = "folder_error"

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name


class FolderAbsentError(FolderError):
    code = "folder_absent"


class FolderBusyError(FolderError):
    code = "folder_busy"


class BrokenFileError(FolderError):
    code = "broken_file"


class UnsafeEntryError(FolderError):
    code = "unsafe_entry"


class UnknownSessionError(FolderError, ValueError):
    code = "unknown_session"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no session named “{name}”.", name)


class NotWrittenError(FolderError):
    code = "not_written"
