"""What clients did against the protocol's rules: recorded, counted, shown by the control interface.

It only remembers. Whether a violation is refused as well is decided where the request is answered.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from .clock import Clock


class Violations:
    """The newest thousand, and how often each kind was seen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: deque[dict[str, Any]] = deque(maxlen=1000)
        self._counts: Counter[str] = Counter()

    def record(self, path: str, what: str) -> None:
        self._newest.append({"at_ms": self._clock.now_ms(), "path": path, "what": what})
        self._counts[what] += 1

    def clear(self) -> None:
        self._newest.clear()
        self._counts.clear()

    def as_json(self) -> dict[str, Any]:
        return {"items": list(self._newest), "counts": dict(self._counts)}
