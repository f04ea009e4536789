"""A loop that looks for work, then waits until it is woken or until the next look is due.

A lost wake-up costs no more than one interval, and an error in one look does not end the loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

Look = Callable[[], Awaitable[float | None]]
"""Looks for work and does it. Returns the seconds until the next look, None for the interval."""
Work = Callable[[], object]
Sleep = Callable[[float], Awaitable[None]]

SWEEP_S = 1.0
"""A job that finds its work in the database looks at least this often."""


def look_by(run: Callable[[Work], Awaitable[object]], work: Work) -> Look:
    """A look that `run` does, such as in a database thread. What `work` returns is no pause."""

    async def look() -> None:
        await run(work)

    return look


class WakeOrSweep:
    """Call `run` with the function that looks, and cancel it to stop; `wake` makes it look now."""

    def __init__(
        self,
        *,
        every_s: float,
        logger: logging.Logger,
        error_text: str,
        first_after_s: float = 0.0,
        spacing_s: float = 0.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`every_s`: seconds from the end of one look to the next, also after one that failed.

        `logger`, `error_text`: where an error in a look is logged, and under which sentence.
        `first_after_s`: seconds before the first look. A wake-up does not shorten them.
        `spacing_s`: pause before each later look, so that many wake-ups at once are one look.
        """
        self._every_s = every_s
        self._logger = logger
        self._error_text = error_text
        self._first_after_s = first_after_s
        self._spacing_s = spacing_s
        self._sleep = sleep
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look as soon as possible. Call it in the event loop's thread only."""
        self._woken.set()

    async def run(self, look: Look) -> NoReturn:
        """Look again and again until this is cancelled."""
        if self._first_after_s:
            await self._sleep(self._first_after_s)
        while True:
            # Before the look: a wake-up during it may be about what it no longer sees.
            self._woken.clear()
            pause_s = await self._seconds_after(look)
            await is_set_within(self._woken, pause_s)
            if self._spacing_s:
                await self._sleep(self._spacing_s)

    async def _seconds_after(self, look: Look) -> float:
        """Look once; the seconds until the next look."""
        try:
            pause_s = await look()
        except Exception:
            self._logger.exception(self._error_text)
            return self._every_s
        return self._every_s if pause_s is None else pause_s


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, but no longer than this. Whether it is set.

    Not with `asyncio.wait_for`: before Python 3.12 it may swallow the cancel of a stop.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
