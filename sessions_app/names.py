"""Session names by the contract's rule: they are folder names on every machine. Pure but for the
look-up of a clash."""

import unicodedata

from django.utils.translation import gettext as _

MAX_CHARACTERS = 64
MAX_BYTES = 200
DEFAULT = "default"
_RESERVED = ("token.json", "contexts.json")
_RESERVED_PREFIX = "messages.db"
_FORBIDDEN = frozenset("/\\:")
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})


class SessionNameError(ValueError):
    """A name that cannot be used; str() is a sentence for the person who typed it."""


class BadSessionName(SessionNameError):  # noqa: N818 - read as a statement in except clauses
    """Against the rule (HTTP 422)."""


class SessionNameTaken(SessionNameError):  # noqa: N818
    """Another session has this name, upper and lower case alike (HTTP 409)."""


def clean_session_name(raw: str) -> str:
    """The name in NFC. Raises BadSessionName with the first reason that applies."""
    name = unicodedata.normalize("NFC", raw)
    if not name:
        raise BadSessionName(_("Give the session a name."))
    if len(name) > MAX_CHARACTERS or _too_many_bytes(name):
        raise BadSessionName(_("This name is too long: 64 characters at most."))
    if any(unicodedata.category(sign) in _FORBIDDEN_CATEGORIES for sign in name):
        raise BadSessionName(_("A name cannot hold invisible or control characters."))
    if _FORBIDDEN & set(name):
        raise BadSessionName(_("A name cannot hold / \\ or :"))
    if name[0] in " ." or name[-1] == " ":
        raise BadSessionName(_("A name cannot begin with a dot or a space, or end with a space."))
    if name.casefold() in _RESERVED or name.casefold().startswith(_RESERVED_PREFIX):
        raise BadSessionName(_("This name is kept for the session folder's own files."))
    return name


def _too_many_bytes(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES


def name_key(name: str) -> str:
    """What two names have in common when they clash."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
