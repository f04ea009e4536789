"""Session names by the contract's rule: they are folder names on every machine. Pure, no Django.

Errors carry a code and a plain English sentence; pages say it in the reader's language by that
code (`reasons.name_problem`).
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
    """A name that cannot be used: `code`, `detail` (a name that is taken); str() is a sentence."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(_SENTENCES[code].format(detail=detail))
        self.code = code
        self.detail = detail


class BadSessionName(SessionNameError):  # noqa: N818 - read as a statement in except clauses
    """Against the rule (HTTP 422)."""


class SessionNameTaken(SessionNameError):  # noqa: N818
    """Another session has this name, upper and lower case alike (HTTP 409)."""

    def __init__(self, name: str) -> None:
        super().__init__("name_in_use", name)


def clean_session_name(raw: str) -> str:
    """The name in NFC. Raises BadSessionName with the first reason that applies."""
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
    """A name that something may be renamed to. Raises BadSessionName, for `default` too."""
    name = clean_session_name(raw)
    if name_key(name) == DEFAULT:
        raise BadSessionName("name_default")
    return name


def _too_many_bytes(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES


def name_key(name: str) -> str:
    """What two names have in common when they clash."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
