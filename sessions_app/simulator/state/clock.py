"""The simulator's clock: real time plus an offset that tests and the page may increase.

It is used for reply windows, ages and message times. How long a request is held depends on real
time; otherwise moving the clock would answer every long poll.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """The simulated time in epoch seconds."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset_s = 0.0

    def now(self) -> float:
        return self._source() + self.offset_s

    def now_ms(self) -> int:
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`.

        Raises ValueError if negative: WeChat's time never goes back.
        """
        if seconds < 0:
            raise ValueError("the clock moves forward only")
        self.offset_s += seconds
