"""Each request's thread gives its database connection back, however the request ends.

Django closes connections in a signal that it sends last. A request that the browser gave up is
cancelled, and with it that signal, if the thread is still busy then: the connection would never
return to the pool. Here closing is the last thing that the thread itself does.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def on_thread_of_its_own(inner: Application) -> Application:
    """`inner`, whose requests each have one thread for what they do with the database."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="page")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await inner(scope, receive, send)
        finally:
            # Not awaited, so that no cancel can keep it from happening.
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

    return application
