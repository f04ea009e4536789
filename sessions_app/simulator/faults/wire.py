"""Carries out faults: an ASGI layer between the server and the protocol's routes.

A real reset needs the TCP transport, which `serve` passes in the scope's state. Under another
server (Daphne in the demo) the HTTP body is broken instead. The page and the control interface are
never affected.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sessions_app.simulator.addresses import own_path
from sessions_app.simulator.faults.rules import Fault, FaultKind
from sessions_app.simulator.state.wechat import SimulatedWeChat
from sessions_app.simulator.wire.request_rules import bearer_token

ABORT_KEY = "simulator_abort"
"""Key in `scope["state"]` of a callable that resets the TCP connection."""
PREFIXES = ("/ilink/", "/c2c/")
ENDLESS_CHUNK = b" " * 65_536
HTML_PAGE = b"<!doctype html><title>Gateway</title><h1>The gateway is ill</h1>"
BAD_JSON = b'{"ret":0,"msgs":[}'


@dataclass(slots=True)
class Answer:
    """A complete response, held back."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


@dataclass(slots=True)
class Connection:
    """The connection of one request."""

    scope: MutableMapping[str, Any]
    receive: Receive
    send: Send

    async def answer(
        self, body: bytes, *, status: int = 200, kind: str, retry_after: str = ""
    ) -> None:
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        if retry_after:
            headers.append((b"retry-after", retry_after.encode()))
        await self.start(status, headers)
        await self.send({"type": "http.response.body", "body": body})

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def more(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    @property
    def abort(self) -> Callable[[], None] | None:
        found: Callable[[], None] | None = self.scope.get("state", {}).get(ABORT_KEY)
        return found

    async def reset(self) -> None:
        """Send RST if the transport is available, else a response that no client can complete."""
        if self.abort is None:
            await self.break_body(b"")
            return
        self.abort()
        await self.gone()

    async def break_body(self, beginning: bytes) -> None:
        """Send raw bytes declared as chunks, so that the client at once sees an invalid chunk."""
        chunk = b"%x\r\n%s\r\n" % (len(beginning), beginning) if beginning else b""
        body = chunk + b"~~~\r\n"
        # Both headers together keep the server from adding chunks.
        headers = [(b"transfer-encoding", b"chunked"), (b"content-length", b"%d" % len(body))]
        await self.start(200, headers)
        await self.send({"type": "http.response.body", "body": body})

    async def gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def wait(self, seconds: float) -> bool:
        """Wait. Returns True if the client disconnected meanwhile."""
        try:
            await asyncio.wait_for(self.gone(), seconds)
        except TimeoutError:
            return False
        return True


class FaultLayer:
    def __init__(self, app: ASGIApp, wechat: SimulatedWeChat) -> None:
        self._app = app
        self._wechat = wechat
        self._by_kind: dict[FaultKind, Callable[[Fault, Connection, Answer], Awaitable[None]]] = {
            FaultKind.STATUS: _status,
            FaultKind.RESET: _reset,
            FaultKind.LOST: _reset,
            FaultKind.SLOW: _pass_on,
            FaultKind.DRIP: _drip,
            FaultKind.ENDLESS: _endless,
            FaultKind.BAD_JSON: _bad_json,
            FaultKind.CUT_JSON: _cut_json,
            FaultKind.CUT_BODY: _cut_body,
            FaultKind.HTML: _html,
            FaultKind.EMPTY: _empty,
            FaultKind.BODY: _body,
            FaultKind.RET: _ret,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault_for(scope)
        if fault is None:
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        connection = Connection(scope, receive, send)
        wait_s = fault.delay_s if fault.kind is FaultKind.SLOW else fault.wait_s
        if wait_s and await connection.wait(wait_s):
            return
        answer = Answer()
        if fault.takes_effect:
            await self._app(scope, _replay(body, receive), answer.collect)
        await self._by_kind[fault.kind](fault, connection, answer)

    def _fault_for(self, scope: Scope) -> Fault | None:
        path = own_path(scope)
        if not path.startswith(PREFIXES):
            return None
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        with self._wechat.lock:
            fault = self._wechat.faults.take(path, bearer_token(headers))
            if fault is not None:
                self._wechat.changed()
                if not fault.takes_effect:
                    self._wechat.requests[path] += 1
            return fault


async def _read_body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Pass the body to the application again, and then the real end of the connection."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _status(fault: Fault, connection: Connection, answer: Answer) -> None:
    status, after = fault.status or 502, fault.retry_after
    await connection.answer(HTML_PAGE, status=status, kind="text/html", retry_after=after)


async def _reset(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.reset()


async def _pass_on(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.start(answer.status, answer.headers)
    await connection.send({"type": "http.response.body", "body": answer.body})


async def _drip(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.start(answer.status, answer.headers)
    for at in range(len(answer.body)):
        await connection.more(answer.body[at : at + 1])
        if await connection.wait(fault.delay_s):
            return
    await connection.send({"type": "http.response.body", "body": b""})


async def _endless(fault: Fault, connection: Connection, answer: Answer) -> None:
    """Without the transport there is no back pressure, so pause after each chunk."""
    pause_s = 0.01 if connection.abort is None else 0.0
    gone = asyncio.ensure_future(connection.gone())
    try:
        await connection.start(200, [(b"content-type", b"application/json")])
        await connection.more(b'{"ret":0,"msgs":[')
        while not gone.done():
            await connection.more(ENDLESS_CHUNK)
            await asyncio.sleep(pause_s)
    finally:
        gone.cancel()


async def _bad_json(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.answer(BAD_JSON, kind="application/json")


async def _cut_json(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.answer(answer.body[: len(answer.body) // 2], kind="application/json")


async def _cut_body(fault: Fault, connection: Connection, answer: Answer) -> None:
    beginning = answer.body[: len(answer.body) // 2]
    if connection.abort is None:
        await connection.break_body(beginning)
        return
    await connection.start(answer.status, answer.headers)
    await connection.more(beginning)
    # Let the data reach the client before the reset does.
    await asyncio.sleep(0.05)
    await connection.reset()


async def _html(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.answer(HTML_PAGE, kind="text/html")


async def _empty(fault: Fault, connection: Connection, answer: Answer) -> None:
    await connection.answer(b"", kind="application/json")


async def _body(fault: Fault, connection: Connection, answer: Answer) -> None:
    body = fault.body.encode("utf-8", "surrogatepass")
    await connection.answer(body, status=fault.status or 200, kind=fault.content_type)


async def _ret(fault: Fault, connection: Connection, answer: Answer) -> None:
    value: dict[str, Any] = {"errmsg": fault.errmsg} if fault.errmsg else {}
    if fault.ret is not None:
        value["ret"] = fault.ret
    if fault.errcode is not None:
        value["errcode"] = fault.errcode
    await connection.answer(json.dumps(value).encode(), kind="application/json")
