"""One HTTP exchange with WeChat. The only module that imports httpx.

It never repeats a request, follows a redirect, or logs a URL or a header.

Requests go directly to a transport, without httpx's AsyncClient, which would log every URL with its
query at INFO and keep cookies. A poll takes the same CPU time either way.
"""

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

import httpx

from .errors import AnswerTimeoutError, LineBrokenError, NotSentError
from .unpack import UnpackError, is_packed, unpacked

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 15.0
KEEPALIVE_S = 5.0  # seconds; a send never uses a connection that was idle for longer

Transport = httpx.AsyncBaseTransport
Content = bytes | AsyncIterator[bytes]


class Transports:
    """Opens one transport per session. All share one TLS context.

    A single connection pool would fail near a thousand polls, because it scans all connections on
    every request. One TLS context per session would load the CA bundle each time.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    def open(self) -> Transport:
        """A transport for one session. The ILinkClient that receives it closes it."""
        return httpx.AsyncHTTPTransport(
            verify=self._ssl_context,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=100, max_keepalive_connections=4, keepalive_expiry=KEEPALIVE_S
            ),
        )


def asgi_transport(app: Callable[..., Awaitable[None]]) -> Transport:
    """A transport into an ASGI app of this process. Complete bodies only, no read timeouts."""
    return httpx.ASGITransport(app=app)


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The head of an HTTP answer with access to its body. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def body(self, max_bytes: int, into: bytearray | None = None) -> bytes:
        """Read the complete body. Raises LineBrokenError beyond `max_bytes`.

        `into` collects the bytes received so far, also if the body breaks off.
        """
        whole = bytearray() if into is None else into
        async for chunk in self.chunks:
            whole += chunk
            if len(whole) > max_bytes:
                raise LineBrokenError("WeChat's answer is too large.")
        return bytes(whole)


@dataclasses.dataclass(slots=True)
class Partial:
    """The part of an answer that arrived. `length`: the size announced in its head, if any."""

    status: int = 0
    length: int | None = None
    body: bytearray = dataclasses.field(default_factory=bytearray)

    def begin(self, reply: Reply) -> None:
        self.status = reply.status
        announced = reply.headers.get("content-length", "")
        is_plain = announced.isdecimal() and not is_packed(reply.headers)
        self.length = int(announced) if is_plain else None

    @property
    def is_part_of_an_answer(self) -> bool:
        return 200 <= self.status < 300 and bool(self.body.strip())


class Exchange:
    """Wraps one transport and translates httpx's errors into ours."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._closed = False

    @contextlib.asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: Content | None = None,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> AsyncIterator[Reply]:
        """Send one request, once. The answer's body can be read inside the block.

        Raises NotSentError, AnswerTimeoutError (no head within `read_timeout_s`) or
        LineBrokenError; the last also while the body is read. The body has no deadline.
        """
        if self._closed:
            raise NotSentError("The connection to WeChat is closed.")
        response = await self._send(method, url, headers, content, read_timeout_s)
        try:
            async with contextlib.aclosing(_chunks(response)) as chunks:
                yield Reply(response.status_code, response.headers, chunks)
        finally:
            # The answer was read already: an error while closing must not discard it.
            with contextlib.suppress(Exception):
                await response.aclose()

    async def aclose(self) -> None:
        """Close the transport to the end, even if the caller is cancelled meanwhile."""
        self._closed = True
        closing = asyncio.ensure_future(self._transport.aclose())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await asyncio.wait({closing})
            raise

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: Content | None,
        read_timeout_s: float,
    ) -> httpx.Response:
        timeouts = {
            "connect": CONNECT_TIMEOUT_S,
            "read": read_timeout_s,
            "write": READ_TIMEOUT_S,
            "pool": None,
        }
        try:
            request = httpx.Request(
                method, url, headers=headers, content=content, extensions={"timeout": timeouts}
            )
            return await self._transport.handle_async_request(request)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
            UnicodeError,
        ) as exc:
            name = type(exc).__name__
            raise NotSentError(f"Could not connect to WeChat ({name}).") from exc
        except httpx.ReadTimeout as exc:
            raise AnswerTimeoutError("WeChat did not answer in time.") from exc
        except (httpx.HTTPError, OSError) as exc:
            raise _broken(exc) from exc


async def _chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    pieces = response.aiter_raw()
    try:
        async for piece in unpacked(pieces) if is_packed(response.headers) else pieces:
            yield piece
    except (httpx.HTTPError, OSError, UnpackError) as exc:
        raise _broken(exc) from exc


def _broken(exc: Exception) -> LineBrokenError:
    return LineBrokenError(f"The connection to WeChat broke ({type(exc).__name__}).")
