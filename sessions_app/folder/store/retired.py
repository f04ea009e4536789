"""Tokens that were renamed away or logged out, so that a folder which comes back is known.

A running SDK (0.6.2) writes an old folder back after a rename or logout, live token included. The
file `.retired.json` holds digests and names only, never a token.
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
    """By the token's digest: (the name it lives under now, "" when logged out; epoch s)."""

    homes: dict[str, tuple[str, float]] = field(default_factory=dict)

    def home(self, token: str) -> str | None:
        """Where this token lives; "" for nowhere, None when it was never retired."""
        found = self.homes.get(digest(token))
        return found[0] if found else None

    def moved(self, token: str, name: str, now_s: float) -> "Retired":
        """With this token living under `name` only ("" for nowhere)."""
        homes = {**self.homes, digest(token): (name, now_s)}
        newest = sorted(homes.items(), key=lambda item: item[1][1])[-KEPT:]
        return Retired(dict(newest))

    def allowed(self, token: str) -> "Retired":
        """Without this token: somebody wants it back."""
        return Retired({key: home for key, home in self.homes.items() if key != digest(token)})


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read(base: int) -> Retired:
    """Nothing is retired when the file is broken: it only tells written-back folders apart."""
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
