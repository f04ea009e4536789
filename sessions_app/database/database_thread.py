"""One thread of the worker with a database connection of its own.

On PostgreSQL it is outside the pool that pages share, so pages that wait for each other never keep
the worker waiting. It stays open between two calls and is tried at the beginning of each.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections

Given = ParamSpec("Given")
Result = TypeVar("Result")


class DatabaseThread(ThreadPoolExecutor):
    """An executor of one thread. Call `close` at its end."""

    def __init__(self, name: str) -> None:
        super().__init__(1, thread_name_prefix=name, initializer=take_own_connection)

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
            changes = {"OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
            connections[alias] = type(shared)({**shared.settings_dict, **changes}, alias)


def with_living_connection(
    function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Call it after a look whether the thread's connection died since the last call."""
    close_old_connections()
    return function(*args, **kwargs)
