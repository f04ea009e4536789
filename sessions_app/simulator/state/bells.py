"""Waking coroutines that hold a request, from any thread and for any event loop.

A bell carries no data: who is woken looks at the state again. It must never be rung or listened
to without the simulator's lock, else a ring between look and wait would be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any


class Bell:
    """`listen()` gives a future that the next `ring()` completes."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def listen(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        return future

    def forget(self, future: asyncio.Future[None]) -> None:
        self._waiting.discard(future)

    def ring(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            # A loop that was closed with its polls open has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(_complete, future)


def _complete(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def wait_for_ring(
    lock: threading.RLock,
    bell: Bell,
    ring: asyncio.Future[None],
    gone: asyncio.Future[Any],
    timeout_s: float,
) -> bool:
    """Wait for the ring, at most `timeout_s`; False when the client went away meanwhile."""
    await asyncio.wait(
        {ring, gone}, timeout=max(0.0, timeout_s), return_when=asyncio.FIRST_COMPLETED
    )
    if not ring.done():
        with lock:
            bell.forget(ring)
    return not gone.done()
