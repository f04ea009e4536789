"""Frozen values of the folder: credentials, contexts, and the result of a scan.

No file access. Times are epoch seconds as floats, 0.0 when missing.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from .disk import JsonObject
from .errors import BrokenFileError

TOKEN_FILE = "token.json"  # noqa: S105 - a file's name
CONTEXTS_FILE = "contexts.json"
_REQUIRED = ("bot_id", "base_url", "token")
_LONGEST = {"bot_id": 200, "base_url": 400, "user_id": 200, "token": 8_000, "cursor": 200_000}
_MAX_COUNT = 1_000_000
_YEAR_9999_S = 253_370_764_800.0


@dataclass(frozen=True, slots=True)
class StoredToken:
    """The content of token.json. Older files lack `user_id`, `cursor` and `created_at_s`."""

    bot_id: str
    base_url: str
    token: str
    user_id: str = ""
    cursor: str = ""
    created_at_s: float = 0.0

    @classmethod
    def from_json(cls, fields: JsonObject) -> "StoredToken":
        """Raises BrokenFileError if bot_id, base_url or token is missing or too long."""
        for name in _REQUIRED:
            if not text(fields.get(name)):
                raise BrokenFileError(f"{TOKEN_FILE} is broken: it lacks {name}.", TOKEN_FILE)
        for name, most in _LONGEST.items():
            if len(text(fields.get(name))) > most:
                raise BrokenFileError(
                    f"{TOKEN_FILE} is broken: its {name} is too long.", TOKEN_FILE
                )
        return cls(
            bot_id=text(fields.get("bot_id")),
            base_url=text(fields.get("base_url")),
            token=text(fields.get("token")),
            user_id=text(fields.get("user_id")),
            cursor=text(fields.get("cursor")),
            created_at_s=seconds(fields.get("created_at")),
        )

    def over(self, fields: JsonObject) -> JsonObject:
        """The file's object updated with these values. Keys of other programs are kept."""
        mine: JsonObject = {
            "bot_id": self.bot_id,
            "base_url": self.base_url,
            "token": self.token,
            "user_id": self.user_id,
            "cursor": self.cursor,
            "created_at": self.created_at_s,
        }
        return {**fields, **mine}


@dataclass(frozen=True, slots=True)
class StoredContext:
    """One person's entry in contexts.json, with the keys t, ts, sc, send_ts and first_seen."""

    token: str = ""
    received_at_s: float = 0.0
    replies_used: int = 0
    replied_at_s: float = 0.0
    first_seen_s: float = 0.0

    @classmethod
    def from_json(cls, value: object) -> "StoredContext":
        """Parse an entry. Invalid values count as missing."""
        fields = value if isinstance(value, dict) else {}
        return cls(
            token=text(fields.get("t")),
            received_at_s=seconds(fields.get("ts")),
            replies_used=count(fields.get("sc")),
            replied_at_s=seconds(fields.get("send_ts")),
            first_seen_s=seconds(fields.get("first_seen")),
        )

    def over(self, value: object) -> JsonObject:
        """The entry updated with these values.

        Keys of other programs are kept; empty ones are removed.
        """
        fields = dict(value) if isinstance(value, dict) else {}
        mine: JsonObject = {
            "t": self.token,
            "ts": self.received_at_s,
            "sc": self.replies_used,
            "send_ts": self.replied_at_s,
            "first_seen": self.first_seen_s,
        }
        if not self.token:
            mine["sc"] = 0
        for key in mine:
            fields.pop(key, None)
        return {**fields, **{key: worth for key, worth in mine.items() if worth}}


class Problem(StrEnum):
    """Why a folder that was found is not a usable session."""

    BAD_NAME = "bad_name"
    LINK = "link"
    BROKEN_TOKEN = "broken_token"  # noqa: S105
    SAME_NAME = "same_name"
    SAME_BOT = "same_bot"
    WRITTEN_BACK = "written_back"


@dataclass(frozen=True, slots=True)
class FoundSession:
    """One folder of the base. `token` is None if it must not be used; `reason` is a sentence.

    Contexts are not checked here; `read_contexts` reports whether they are broken.
    """

    name: str
    token: StoredToken | None
    problem: Problem | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The result of a scan, sorted by name.

    `is_absent`: the base folder does not exist, which logs nobody out. `is_marked`: the console has
    seen sessions in this folder before.
    """

    sessions: tuple[FoundSession, ...]
    default_name: str
    is_absent: bool = False
    is_marked: bool = False

    def usable(self) -> list[FoundSession]:
        return [session for session in self.sessions if session.token is not None]

    def get(self, name: str) -> FoundSession | None:
        return next((session for session in self.sessions if session.name == name), None)


def text(value: object) -> str:
    """A string that can be stored and sent. Anything else counts as missing."""
    return value if isinstance(value, str) and is_plain(value) else ""


def is_plain(value: str) -> bool:
    """Whether the text has no NUL and no lone surrogates, which databases and HTTP cannot carry."""
    return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) and 0 < number < _YEAR_9999_S else 0.0


def count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 < value < _MAX_COUNT else 0
