"""Until when a worker may trust its leases: its own clock's side of the heartbeat.

Other workers take over the sessions of a worker that was not heard for `leases.BEAT_TTL_S`. A
worker whose heartbeats do not reach the database must have stopped polling by then.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable


def seconds_since_boot() -> float:
    """A clock that also runs while the process or the whole machine stands still."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class LeaseClock:
    """Call `renew` after each heartbeat. Poll only while `is_current`."""

    def __init__(
        self,
        *,
        lasts_s: float = math.inf,
        judges_after_s: float = 0.0,
        clock: Callable[[], float] = seconds_since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`lasts_s`: seconds that a heartbeat is good for. By default, for ever.

        `judges_after_s`: seconds of heartbeats after a gap, before this worker may call others
        dead: whoever was cut off cannot know who else was.
        """
        self._lasts_s = lasts_s
        self._judges_after_s = judges_after_s
        self._clock = clock
        self._sleep = sleep
        self._good_until = math.inf
        self._steady_since = -math.inf
        self._renewed = asyncio.Event()

    def now(self) -> float:
        """Seconds, by the clock of the lease. Read it before the heartbeat is sent."""
        return self._clock()

    def renew(self, began: float) -> bool:
        """A heartbeat that began then has arrived. True: the lease had run out meanwhile."""
        was_over = not self.is_current
        if was_over:
            self._steady_since = began
        self._good_until = began + self._lasts_s
        self._renewed.set()
        return was_over

    @property
    def is_current(self) -> bool:
        return self._clock() < self._good_until

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._good_until - self._clock())

    @property
    def may_judge(self) -> bool:
        """Whether silence of another worker is that worker's own."""
        return self.is_current and self._clock() - self._steady_since >= self._judges_after_s

    async def until_current(self) -> None:
        """Wait while the lease has run out."""
        while not self.is_current:
            self._renewed.clear()
            await self._renewed.wait()

    async def until_over(self) -> None:
        """Wait until the lease runs out."""
        # In small steps: a timer stands still with the machine, this clock does not.
        while left_s := self.seconds_left:
            await self._sleep(min(1.0, left_s))
