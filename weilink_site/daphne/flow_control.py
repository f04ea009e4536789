"""Moves large bodies in and out piece by piece, so that none lies in memory as a whole.

It changes when bytes move, never which.

Reason: `daphne.http_protocol.WebRequest.process` puts all pieces of a body into the application's
queue at once (https://github.com/django/daphne/issues/483, open), and `WebRequest.handle_reply`
writes as fast as the application gives, whether the client reads or not
(https://github.com/django/daphne/issues/170, open, reports the same of websockets).
Can go when: Daphne reads a body as the application asks for it, and its `send` waits while the
client's connection is full.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from daphne import http_protocol

PIECE_BYTES = 256 * 1024
SMALL_BYTES = 128 * 1024
"""What is not larger goes Daphne's own way."""
STALLED_S = 60.0
"""A client that takes nothing for so long is let go."""

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


class Held:
    """A request's body on disk, of which Daphne itself sees nothing; `flowing` reads it."""

    def __init__(self, file: Any) -> None:
        self.file = file

    @property
    def closed(self) -> bool:
        return bool(self.file.closed)

    def read(self, size: int = -1) -> bytes:
        """Sized reads are Daphne's, for its queue."""
        whole: bytes = self.file.read() if size < 0 else b""
        return whole

    def seek(self, *place: int) -> int:
        return int(self.file.seek(*place))

    def tell(self) -> int:
        return int(self.file.tell())

    def close(self) -> None:
        self.file.close()


def hold(content: Any) -> Any:
    """The same file, held where it is large."""
    place = content.tell()
    size = content.seek(0, 2)
    content.seek(place)
    return Held(content) if size > SMALL_BYTES else content


def flowing(inner: Application) -> Application:
    """Must be the outermost application: it knows Daphne's request by what `send` is bound to."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = next(iter(getattr(send, "args", ())), None)
        if scope["type"] == "http" and isinstance(request, http_protocol.WebRequest):
            outflow = Outflow(request, send)
            await inner(scope, Inflow(request, receive), outflow)
        else:
            await inner(scope, receive, send)

    return application


class Inflow:
    """`receive` of a request whose body may be held."""

    def __init__(self, request: Any, receive: Receive) -> None:
        self._request = request
        self._receive = receive
        self._begun = self._done = False

    async def __call__(self) -> Message:
        held = self._request.content
        if self._done or not isinstance(held, Held):
            return await self._receive()
        if not self._begun:
            self._begun = True
            first = await self._receive()  # the empty piece that stands for the whole
            if first["type"] != "http.request":
                return first
        try:
            piece = await asyncio.to_thread(held.file.read, PIECE_BYTES)
        except ValueError:  # closed: the client went away
            return {"type": "http.disconnect"}
        self._done = len(piece) < PIECE_BYTES
        return {"type": "http.request", "body": piece, "more_body": not self._done}


class Outflow:
    """`send` that waits while the client's line is full; a push producer to Twisted."""

    def __init__(self, request: Any, send: Send) -> None:
        self._request = request
        self._send = send
        self._room = asyncio.Event()
        self._room.set()

    async def __call__(self, message: Message) -> None:
        goes_on = message["type"] == "http.response.body" and message.get("more_body", False)
        if goes_on:
            self._watch()
        elif message["type"] == "http.response.body":
            self._let_go()
        await self._send(message)
        if goes_on:
            await self._wait_for_room()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's names
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._room.set()

    def _watch(self) -> None:
        if self._request.producer is None and self._request.channel is not None:
            self._request.registerProducer(self, True)

    def _let_go(self) -> None:
        if self._request.producer is self and self._request.channel is not None:
            self._request.unregisterProducer()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(STALLED_S):
                await self._room.wait()
        except TimeoutError:
            if self._request.channel is not None:
                self._request.channel.abortConnection()
