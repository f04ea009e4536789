"""Records about the clients: broken rules, and every call of sendmessage.

It only records. Whether a request is refused is decided where it is answered.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

from sessions_app.simulator.state.clock import Clock
from sessions_app.simulator.state.quotas import Outcome


@dataclass(frozen=True, slots=True)
class SendRecord:
    """One call of sendmessage, whatever its result."""

    number: int
    at_ms: int
    bot_id: str
    person_id: str
    client_id: str
    outcome: Outcome
    ret: int
    errmsg: str
    why: str
    message_id: str
    kind: str
    text: str
    context_token: Any
    item: Any

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Violations:
    """The newest thousand, and a count per kind."""

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
