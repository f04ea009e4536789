"""The end of a web process: what is being answered is answered, then nothing holds it.

Daphne by itself cancels every application and waits for the first of them only. A page whose
thread still waits for the event loop would then wait for ever, and the process with it.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet import defer, reactor

logger = logging.getLogger(__name__)

ANSWERED_WITHIN_S = 2.0
CANCELLED_WITHIN_S = 1.0
LEFT_WITHIN_S = 1.0

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
    for listener in server.listeners:
        listener.addCallback(lambda port: port.stopListening())
    for application in _open(server, pages=False):
        application.cancel()
    deadline = time.monotonic() + ANSWERED_WITHIN_S
    # An answered page may be followed by the next one on its line.
    while (pages := [*_open(server, pages=True)]) and (left_s := deadline - time.monotonic()) > 0:
        await asyncio.wait(pages, timeout=left_s)
    left = [*_open(server, pages=True), *_open(server, pages=False)]
    for application in left:
        application.cancel()
    if left:
        await asyncio.wait(left, timeout=CANCELLED_WITHIN_S)


def _open(server: Any, *, pages: bool) -> Iterator[Application]:
    for protocol, details in list(server.connections.items()):
        application: Application | None = details.get("application_instance")
        if application is None or application.done():
            continue
        if isinstance(protocol, WebRequest) == pages:
            yield application


def _leave_soon() -> None:
    """Python waits for its threads at the end, for ever; one may sit in a locked database."""
    watch = threading.Timer(LEFT_WITHIN_S, _leave)
    watch.daemon = True
    watch.start()


def _leave() -> None:
    logger.warning("a thread did not end; the process leaves without it")
    logging.shutdown()
    os._exit(0)
