"""What can be wrong with the session folder, as one small tree; no Django.

A text is one plain sentence for an operator: it never holds a token, a cursor or a file's content.

FolderError               .code, .name (the session or file it is about)
├── FolderAbsentError     there is no base folder
├── FolderBusyError       another program holds a lock for longer than we wait
├── BrokenFileError       a file that is no JSON object, lacks a field, or is too large
├── UnsafeEntryError      a symbolic link or a wrong kind of file where ours should be
├── UnknownSessionError   no such session (a ValueError too)
└── NotWrittenError       the disk is full, read-only, or not ours
"""


class FolderError(Exception):
    """Root of the tree; `code` is the short machine word of the class."""

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
