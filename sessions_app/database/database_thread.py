"""One thread of the worker with a database connection of its own.

On PostgreSQL it is outside the pool that pages share, so pages that wait for each other never keep
the worker waiting. It stays open between two calls and is tried at the beginning of each.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from django.db import close_old_connections, connections

from sessions_app.monitoring import traces

STANDSTILL = "-c idle_in_transaction_session_timeout=5000"
"""PostgreSQL ends a transaction whose process stood still for 5 s: others wait for its locks.

Less than `leases.BEAT_TTL_S`, so that others can take over from a frozen worker. Milliseconds.
"""
Given = ParamSpec("Given")
Result = TypeVar("Result")


class RunInDatabaseThread(Protocol):
    """Runs a database function away from the event loop. `DatabaseThread.run` is the real one."""

    def __call__(
        self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Awaitable[Result]: ...


class DatabaseThread(ThreadPoolExecutor):
    """An executor of one thread with a database connection. Call `close` when it is done with."""

    def __init__(self, name: str) -> None:
        super().__init__(1, thread_name_prefix=name, initializer=take_own_connection)

    async def run(
        self, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Run a database function in this thread, with a connection that is known to work.

        Its log lines have the caller's trace id. If the caller is cancelled, the function still
        runs to its end.
        """
        call = partial(with_living_connection, function, *args, **kwargs)
        if trace_id := traces.current_id():
            call = partial(traces.run, trace_id, call)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self, call))

    def close(self) -> None:
        """Give the connection back once what is under way has ended. Waits for nothing."""
        self.submit(connections.close_all)
        self.shutdown(wait=False)


def take_own_connection() -> None:
    """Make the calling thread's connection one of its own. SQLite's are that already."""
    for alias in connections:
        shared = connections[alias]
        if shared.vendor == "postgresql":
            options: dict[str, Any] = {**shared.settings_dict["OPTIONS"], "pool": False}
            options["options"] = f"{options.get('options', '')} {STANDSTILL}".strip()
            changes = {"OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
            connections[alias] = type(shared)({**shared.settings_dict, **changes}, alias)


def with_living_connection(
    function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Call it after a look whether the thread's connection died since the last call."""
    close_old_connections()
    return function(*args, **kwargs)
