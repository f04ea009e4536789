"""Long polls: read, wait for a hint, read again. A waiting call holds no database connection."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from ninja import Query

from sessions_app.realtime.streams import hearing

MOST_S = 30
MOST_WAITED_S = float(MOST_S)
LOOK_EVERY_S = 1.0
"""Hints can get lost, so the database is read at least this often."""

Found = TypeVar("Found")

Wait = Annotated[
    float,
    Query(ge=0, le=MOST_S, allow_inf_nan=False, description="Seconds to wait, 30 at most."),
]


async def in_thread(function: Callable[[], Found]) -> Found:
    """Run it in the request's own thread, then release the thread's database connection."""
    return await sync_to_async(_run_and_release)(function)


def _run_and_release(function: Callable[[], Found]) -> Found:
    try:
        return function()
    finally:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # do not end a transaction that is still open
                connection.close_if_unusable_or_obsolete()


async def look_until(
    look: Callable[[], Found],
    enough: Callable[[Found], bool],
    *,
    streams: Callable[[], Iterable[str]],
    timeout_s: float,
) -> tuple[Found, bool]:
    """Call `look` until `enough` or until the timeout. True: the result comes after a wait.

    `look` and `streams` read the database in the request's thread and release its connection
    each time. Ends at once when the client disconnects.
    """
    timeout_s = min(timeout_s, MOST_WAITED_S)
    found = await in_thread(look)
    if timeout_s <= 0 or enough(found):
        return found, False
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    async with hearing(await in_thread(streams)) as hints:
        while True:
            found = await in_thread(look)
            left_s = deadline - loop.time()
            if enough(found) or left_s <= 0:
                return found, True
            await hints.wait_for_hint(min(LOOK_EVERY_S, left_s))
