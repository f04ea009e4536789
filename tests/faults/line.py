"""The line to the simulated WeChat, on which every fault can happen to one session's calls."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.faults import Endpoint, Fault
from tests.faults.virtual_time import passes

URL = "http://wechat.test"
SLOW_S = 12.0
"""Less than the client waits for the beginning of an answer."""
DRIP_S = 10.0
MB = 1024 * 1024
HTML = b"<!doctype html><h1>Sign in to the Wi-Fi</h1>"
WRONG_TYPES = {
    "ret": [], "errcode": {}, "msgs": "none", "get_updates_buf": {"a": 1}, "message_id": {},
    "longpolling_timeout_ms": "soon", "qrcode": [], "qrcode_img_content": {}, "status": 7,
    "typing_ticket": [], "upload_param": {}, "upload_full_url": [],
}  # fmt: skip
CODES: dict[str, dict[str, Any]] = {
    "-14 in ret": {"ret": -14, "errmsg": "session timeout"},
    "-14 in errcode": {"errcode": -14, "errmsg": "session timeout"},
    "-2 for one person": {"ret": -2},
    "-2 for the whole bot": {"ret": -2, "errmsg": "rate limited"},
    "-1": {"ret": -1, "errmsg": "system error"},
    "unknown code": {"ret": 77_777, "errmsg": "nobody knows"},
}


class _Stream(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            yield piece


@dataclass
class Network:
    """Counts all requests by endpoint and bot token, and spoils those that `fault` is for.

    `victim`: the bot token whose calls are spoiled, and those without a token. `person`: the one
    whom "-2 for one person" is about.
    """

    app: Callable[..., Any]
    victim: str = ""
    person: str = ""
    endpoint: Endpoint | None = None
    fault: Fault | None = None
    hits: int = 0
    counts: Counter[tuple[Endpoint, str]] = field(default_factory=Counter)
    first_answer: bytes = b""
    _turns: int = 0

    def __post_init__(self) -> None:
        self._inner = httpx.ASGITransport(app=self.app)

    def spoil(self, endpoint: Endpoint, fault: Fault) -> None:
        self.endpoint, self.fault, self.hits = endpoint, fault, 0

    def heal(self) -> None:
        self.fault = None

    def open(self, *_args: object) -> "Line":
        return Line(self)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        endpoint = Endpoint(request.url.path.rpartition("/")[2])
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.counts[endpoint, token] += 1
        if endpoint is not self.endpoint or token not in ("", self.victim):
            return await self._inner.handle_async_request(request)
        self.hits += 1
        fault = self.fault
        if fault is None or (fault.is_once and self.hits > 1):
            return await self._inner.handle_async_request(request)
        return await self._spoiled(fault.what, request)

    async def _spoiled(self, what: str, request: httpx.Request) -> httpx.Response:
        match what:
            case "refused":
                raise httpx.ConnectError("refused")
            case "reset before":
                raise httpx.WriteError("reset")
            case "reset after":
                await request.aread()
                raise httpx.ReadError("reset")
            case "lost":
                await self._inner.handle_async_request(request)
                raise httpx.ReadError("reset")
            case "slow":
                await passes(SLOW_S)
                return await self._inner.handle_async_request(request)
            case "endless":
                return httpx.Response(200, stream=_Stream(_dripping()))
            case "redirect":
                return _answer(b"", 302, {"location": "https://elsewhere.test/"})
            case "html":
                return _answer(HTML, 200, {"content-type": "text/html"})
            case "empty":
                return _answer(b"")
            case "wrong json":
                return _answer(b'{"ret":0,"msgs":[}')
            case "wrong types":
                return _answer(json.dumps(WRONG_TYPES).encode())
            case "50 MB":
                return httpx.Response(200, stream=_Stream(_large()))
            case "cut" | "replayed" | "repeated":
                return await self._changed(what, request)
        if what.isdigit():
            headers = {"retry-after": "60"} if what == "429" else {}
            return _answer(HTML, int(what), headers)
        return await self._with_code(what, request)

    async def _changed(self, what: str, request: httpx.Request) -> httpx.Response:
        if what != "cut" and self.first_answer:
            self._turns += 1
            again = json.loads(self.first_answer)
            if what == "repeated":
                again["get_updates_buf"] += f"+{self._turns}"
            return _answer(json.dumps(again).encode())
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        if what == "cut":
            return _answer(body[: len(body) // 2])
        self.first_answer = body if json.loads(body)["msgs"] else b""
        return _answer(body)

    async def _with_code(self, what: str, request: httpx.Request) -> httpx.Response:
        if what == "-2 for one person" and self.person.encode() not in await request.aread():
            return await self._inner.handle_async_request(request)
        return _answer(json.dumps(CODES[what]).encode())


def _answer(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """As it comes over the line: not read yet."""

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    return httpx.Response(status, headers=headers, stream=_Stream(pieces()))


async def _dripping() -> AsyncIterator[bytes]:
    """A byte now and then, for ever: neither an end nor a silence."""
    while True:
        yield b" "
        await passes(DRIP_S)


async def _large() -> AsyncIterator[bytes]:
    yield b'{"ret":0,"msgs":["'
    for _ in range(50):
        yield b"x" * MB
    yield b'"]}'


class Line(httpx.AsyncBaseTransport):
    def __init__(self, network: Network) -> None:
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._network.answer(request)
