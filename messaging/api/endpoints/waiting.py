"""Long polls: read, wait for a hint, read again.

A waiting call holds no database connection, and gives back its turn to run.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from ninja import Query

from messaging.api.auth import Caller
from sessions_app.pages.turn import resting
from sessions_app.realtime.rights import rights_of
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
    look: Callable[[Caller], Found],
    enough: Callable[[Found], bool],
    *,
    caller: Caller,
    streams: Callable[[], Iterable[str]],
    timeout_s: float,
) -> Found:
    """Call `look` until `enough` or until the timeout.

    `look` and `streams` read the database in the request's thread and release its connection
    each time. The caller is checked with every look: a login or a token that ends also ends the
    wait (ApiError 401), and so do changed rights. Ends at once when the client disconnects.
    """
    timeout_s = min(timeout_s, MOST_WAITED_S)
    found = await in_thread(lambda: look(caller))
    if timeout_s <= 0 or enough(found):
        return found
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    rights = await in_thread(lambda: rights_of(caller.user))

    def look_again() -> tuple[Found, bool]:
        before = caller.reloaded()
        while True:
            allowed = rights_of(before.user)
            seen = look(before)
            after = caller.reloaded() if enough(seen) else before
            if rights_of(after.user).is_as(allowed):
                return seen, allowed.is_as(rights)
            before = after  # a right ended meanwhile; what came after that is not for them

    async with hearing(await in_thread(streams)) as hints:
        while True:
            found, is_as_before = await in_thread(look_again)
            left_s = deadline - loop.time()
            if enough(found) or left_s <= 0 or not is_as_before:
                return found
            async with resting():
                await hints.wait_for_hint(min(LOOK_EVERY_S, left_s))
