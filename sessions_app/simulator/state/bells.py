"""Wakes coroutines that hold a request, from any thread and for any event loop.

A bell carries no data: a woken coroutine reads the state again. Always hold the simulator's lock
when calling a bell, or a ring between reading and waiting would be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any


class Bell:
    """`listen()` returns a future that the next `ring()` completes."""

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
            # A loop that was closed while polls were open has nothing to wake.
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
    """Wait for the ring for at most `timeout_s`. Returns False if the client disconnected."""
    await asyncio.wait(
        {ring, gone}, timeout=max(0.0, timeout_s), return_when=asyncio.FIRST_COMPLETED
    )
    if not ring.done():
        with lock:
            bell.forget(ring)
    return not gone.done()
