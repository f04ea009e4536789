"""Ends a web process: requests that are being answered are answered, then the process leaves.

Reason: `daphne.server.Server.kill_all_applications` cancels every application, and its
`asyncio.gather` is over with the first one that ends. The event loop then stops, and a page whose
thread still waits for it waits for ever, and the process with it.
https://github.com/django/daphne/issues/579 describes a process that Ctrl+C cannot end.
Can go when: Daphne lets requests finish within a time limit at its end, waits for all applications,
and cancels no page whose thread is still at work.
"""

import asyncio
import logging
import os
import threading
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, reactor

logger = logging.getLogger(__name__)

ANSWERED_WITHIN_S = 1.5
GIVEN_UP_WITHIN_S = 0.7
LEFT_WITHIN_S = 0.5

Application = asyncio.Future[Any]


def install() -> None:
    """Daphne offers no setting for this; its server takes the method by this name."""
    Server.kill_all_applications = _end_of_all


def _end_of_all(server: Any) -> "defer.Deferred[None]":
    later: Any = reactor
    later.addSystemEventTrigger("after", "shutdown", _leave_soon)
    return defer.Deferred.fromFuture(asyncio.ensure_future(_end(server)))


async def _end(server: Any) -> None:
    """Websockets at once, pages when they are answered or after `ANSWERED_WITHIN_S`."""
    server.http_factory.buildProtocol = _nothing_more
    server.create_application = _nothing_more
    for websocket in _open(server, WebSocketProtocol).values():
        websocket.cancel()
    if pages := _open(server, WebRequest):
        await asyncio.wait(pages.values(), timeout=ANSWERED_WITHIN_S)
    # Not cancelled: what Django does for a page would go on without it, and lose its thread.
    for page in _open(server, WebRequest):
        page.application_queue.put_nowait({"type": "http.disconnect"})
    left = [*_open(server, WebRequest).values(), *_open(server, WebSocketProtocol).values()]
    if left:
        await asyncio.wait(left, timeout=GIVEN_UP_WITHIN_S)


def _nothing_more(*_: Any) -> None:
    """No new line, and no further page on an open one: both close when the process ends."""


def _open(server: Any, kind: type) -> dict[Any, Application]:
    return {
        protocol: details["application_instance"]
        for protocol, details in server.connections.items()
        if isinstance(protocol, kind)
        and details.get("application_instance") is not None
        and not details["application_instance"].done()
    }


def _leave_soon() -> None:
    """Python waits for its threads at the end, for ever; one may sit in a locked database."""
    watch = threading.Timer(LEFT_WITHIN_S, _leave)
    watch.daemon = True
    watch.start()


def _leave() -> None:
    logger.warning("a thread did not end; the process leaves without it")
    logging.shutdown()
    os._exit(0)
