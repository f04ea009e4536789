"""Validates session names, which are also folder names on every operating system. Pure, no Django.

The rules are those of the contract. Errors carry a code and an English sentence; pages translate
the code with `reasons.name_problem`.
"""

import unicodedata

MAX_CHARACTERS = 64
MAX_BYTES = 200
DEFAULT = "default"
_RESERVED = ("token.json", "contexts.json")
_RESERVED_PREFIX = "messages.db"
_FORBIDDEN = frozenset("/\\:")
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})

_SENTENCES = {
    "name_empty": "Enter a name.",
    "name_too_long": "This name is too long. Use at most 64 characters.",
    "name_invisible": "A name can't contain invisible or control characters.",
    "name_forbidden": "A name can't contain / \\ or :",
    "name_edges": "A name can't start with a dot or a space, or end with a space.",
    "name_reserved": "This name is reserved for files of the account folder.",
    "name_default": "Nothing can be renamed to “default”.",
    "name_in_use": "An account named “{detail}” already exists.",
}


class SessionNameError(ValueError):
    """A name that cannot be used.

    str() is a sentence; `detail` is the existing name if it is taken.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(_SENTENCES[code].format(detail=detail))
        self.code = code
        self.detail = detail


class BadSessionName(SessionNameError):  # noqa: N818 - reads as a statement in except clauses
    """Against the rule (HTTP 422)."""


class SessionNameTaken(SessionNameError):  # noqa: N818
    """The name breaks a rule (HTTP 422)."""

    def __init__(self, name: str) -> None:
        super().__init__("name_in_use", name)


def clean_session_name(raw: str) -> str:
    """Return the name in NFC. Raises BadSessionName with the first reason that applies."""
    name = unicodedata.normalize("NFC", raw)
    if not name:
        raise BadSessionName("name_empty")
    if len(name) > MAX_CHARACTERS or _too_many_bytes(name):
        raise BadSessionName("name_too_long")
    if any(unicodedata.category(sign) in _FORBIDDEN_CATEGORIES for sign in name):
        raise BadSessionName("name_invisible")
    if _FORBIDDEN & set(name):
        raise BadSessionName("name_forbidden")
    if name[0] in " ." or name[-1] == " ":
        raise BadSessionName("name_edges")
    if name.casefold() in _RESERVED or name.casefold().startswith(_RESERVED_PREFIX):
        raise BadSessionName("name_reserved")
    return name


def clean_new_name(raw: str) -> str:
    """Like `clean_session_name` for a rename, which also rejects `default`.

    Raises BadSessionName.
    """
    name = clean_session_name(raw)
    if name_key(name) == DEFAULT:
        raise BadSessionName("name_default")
    return name


def _too_many_bytes(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES


def name_key(name: str) -> str:
    """The key by which names are compared: names that differ only in case clash."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
