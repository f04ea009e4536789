"""Gives each request a trace id and measures how long its answer takes to begin."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from sessions_app.monitoring import meters, traces

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

_AREAS = (
    ("/api/", "api"),
    ("/static/", "static"),
    ("/inbox/files/", "files"),
    ("/inbox/uploads/", "files"),
    ("/simulator", "simulator"),
    ("/admin/", "admin"),
    ("/healthz", "monitoring"),
    ("/readyz", "monitoring"),
    ("/metrics", "monitoring"),
)


def area_of(path: str) -> str:
    """One of nine words for an address; `pages` for everything that has no word of its own."""
    return next((area for start, area in _AREAS if path.startswith(start)), "pages")


def traced(inner: Application) -> Application:
    """Run `inner` with a trace id. An API call that waits on purpose is in an area of its own."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        area = area_of(scope["path"])
        if area == "api" and b"wait=" in scope.get("query_string", b""):
            area = "api_wait"

        async def measuring(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                meters.REQUEST.labels(area).observe(time.perf_counter() - began)
            await send(message)

        with traces.tracing(traces.new_id()):
            await inner(scope, receive, measuring)

    return application
