"""Remembers tokens that were renamed or logged out, to recognise a folder that reappears.

A running SDK (0.6.2) writes an old folder back after a rename or logout, including the token. The
file `.retired.json` contains only digests and names, never a token.
"""

import hashlib
from dataclasses import dataclass, field

from . import disk
from .disk import JsonObject
from .errors import BrokenFileError
from .values import seconds, text

RETIRED_FILE = ".retired.json"
KEPT = 500


@dataclass(frozen=True, slots=True)
class Retired:
    """Token digest → (current session name or "" when logged out, time in epoch seconds)."""

    homes: dict[str, tuple[str, float]] = field(default_factory=dict)

    def home(self, token: str) -> str | None:
        """The token's current session, "" if logged out, or None if the token was never retired."""
        found = self.homes.get(digest(token))
        return found[0] if found else None

    def moved(self, token: str, name: str, now_s: float) -> "Retired":
        """A copy that says the token now belongs to `name` only ("": to none)."""
        homes = {**self.homes, digest(token): (name, now_s)}
        newest = sorted(homes.items(), key=lambda item: item[1][1])[-KEPT:]
        return Retired(dict(newest))

    def allowed(self, token: str) -> "Retired":
        """A copy without this token, for a token that somebody wants to use again."""
        return Retired({key: home for key, home in self.homes.items() if key != digest(token)})


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read(base: int) -> Retired:
    """Read the file.

    A broken file counts as empty, because it only serves to recognise old folders.
    """
    try:
        fields = disk.read_object(base, RETIRED_FILE) or {}
    except BrokenFileError:
        fields = {}
    homes: dict[str, tuple[str, float]] = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            homes[key] = (text(value.get("name")), seconds(value.get("at")))
    return Retired(homes)


def write(base: int, retired: Retired) -> None:
    fields: JsonObject = {
        key: {"name": name, "at": at_s} for key, (name, at_s) in retired.homes.items()
    }
    disk.write_object(base, RETIRED_FILE, fields)
