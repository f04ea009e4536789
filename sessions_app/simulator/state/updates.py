"""One bot's queue of updates, with two kinds of cursor. Pure, without waiting.

A cursor is opaque to clients: base64 of the bot's id and a position. It is never trusted: another
bot's cursor or an invalid one counts as none and is recorded as a violation.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

REPLAY_KEPT = 20_000
"""How many acknowledged entries an old cursor can still fetch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The answer to one getupdates: messages in order, and the position after them."""

    messages: list[Any]
    position: int


class Updates:
    """Entries by position. Position 0 is before the first entry."""

    def __init__(self) -> None:
        self._entries: list[Any] = []
        self._before_first = 0
        self.acknowledged = 0
        self.answered = 0

    @property
    def newest(self) -> int:
        return self._before_first + len(self._entries)

    @property
    def waiting(self) -> int:
        """How many were never part of an answer."""
        return self.newest - self.answered

    def append(self, message: Any) -> None:
        self._entries.append(message)

    def take(self, position: int, *, consume: bool, limit: int) -> Batch:
        """The next messages after the cursor (replay) or after the last answer (consume)."""
        self.acknowledged = max(self.acknowledged, min(position, self.newest))
        start = self.answered if consume else min(max(position, self._before_first), self.newest)
        index = start - self._before_first
        messages = self._entries[index : index + max(1, limit)]
        end = start + len(messages)
        self.answered = max(self.answered, end)
        if consume:
            self.acknowledged = self.answered
        self._trim()
        return Batch(messages, end)

    def _trim(self) -> None:
        """Drop old acknowledged entries, many at once."""
        extra = self.acknowledged - self._before_first - REPLAY_KEPT
        if extra >= REPLAY_KEPT:
            del self._entries[:extra]
            self._before_first += extra

    def to_state(self, keep: int) -> dict[str, Any]:
        """The unacknowledged entries, and the last `keep` acknowledged ones."""
        skip = max(0, self.acknowledged - self._before_first - keep)
        return {
            "entries": self._entries[skip:],
            "before_first": self._before_first + skip,
            "acknowledged": self.acknowledged,
            "answered": self.answered,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Updates:
        updates = cls()
        updates._entries = list(state["entries"])
        updates._before_first = state["before_first"]
        updates.acknowledged = state["acknowledged"]
        updates.answered = state["answered"]
        return updates


def cursor_for(bot_id: str, position: int) -> str:
    return base64.b64encode(f"{position}|{bot_id}".encode()).decode()


def position_of(cursor: str, bot_id: str) -> int | None:
    """The position in a cursor of this bot. 0 for an empty cursor, None for an invalid one."""
    if not cursor:
        return 0
    try:
        position, _, owner = base64.b64decode(cursor, validate=True).decode().partition("|")
        return int(position) if owner == bot_id else None
    except (binascii.Error, ValueError):
        return None
