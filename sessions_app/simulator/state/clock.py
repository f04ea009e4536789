"""The simulator's clock: real time plus an offset that tests and the page may move forward.

It rules windows, ages and times on messages. It must never rule how long a request is held:
that is real time, else moving the clock would answer every long poll.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Epoch seconds of the simulated world."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset_s = 0.0

    def now(self) -> float:
        return self._source() + self.offset_s

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; negative is refused, WeChat's time never runs back."""
        if seconds < 0:
            raise ValueError("the clock moves forward only")
        self.offset_s += seconds
