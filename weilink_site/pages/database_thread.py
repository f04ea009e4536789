"""Returns each request's database connection to the pool, however the request ends.

Django closes connections in a signal at the end of a request. If the browser aborts a request while
its thread is busy, that signal is cancelled, too, and the connection would never return to the
pool. Here the thread itself closes its connections as its last action.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

from sessions_app.pages import turn

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def on_thread_of_its_own(inner: Application) -> Application:
    """Run `inner`, with a thread per request for its database access."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="page")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await inner(scope, receive, send)
        finally:
            # Not awaited, so that no cancellation can prevent it.
            turn.keep_until(thread.submit(connections.close_all))
            thread.shutdown(wait=False)

    return application
