"""Talks to WeChat over HTTP; the only module that imports httpx.

It must never repeat a request by itself, follow an HTTP redirect, or log an address or a header.

Requests go straight to a transport, without httpx's AsyncClient: the client would log every
address with its query at INFO and keep cookies. A poll's CPU is the same with either.
"""

import asyncio
import contextlib
import dataclasses
import re
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from urllib.parse import quote

import httpx

from . import wire
from .errors import (
    AnswerTimeoutError,
    LineBrokenError,
    NotSentError,
    RefusedError,
    refusal,
)
from .hosts import HostPolicy
from .unpack import UnpackError, is_packed, unpacked
from .wire import ClientIdentity

__all__ = [
    "ClientIdentity",
    "Exchange",
    "ILinkClient",
    "Reply",
    "Transport",
    "Transports",
    "asgi_transport",
]

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 15.0
POLL_MARGIN_S = 10.0  # the client must outwait the server, or it loses every race
KEEPALIVE_S = 5.0  # so that a send never goes out on a connection idle for longer
# TCP and TLS each have CONNECT_TIMEOUT_S; the whole of a call must outlast both.
DEADLINE_MARGIN_S = 25.0
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 1024 * 1024
_GATEWAY_TIMEOUT = 524
_SHORTEST_SECRET = 4
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+", re.ASCII)

Transport = httpx.AsyncBaseTransport
Content = bytes | AsyncIterator[bytes]


class Transports:
    """Opens one transport per session, all on one TLS context.

    One shared pool collapses near a thousand polls, because it scans every connection on every
    request; a context of its own per session would load the CA bundle each time.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    def open(self) -> Transport:
        """A transport for one session; the ILinkClient that gets it closes it."""
        return httpx.AsyncHTTPTransport(
            verify=self._ssl_context,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=100, max_keepalive_connections=4, keepalive_expiry=KEEPALIVE_S
            ),
        )


def asgi_transport(app: Callable[..., Awaitable[None]]) -> Transport:
    """A transport into an ASGI app of this process; whole bodies only, no read timeouts."""
    return httpx.ASGITransport(app=app)


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The head of an HTTP answer and a way to its body; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    async def body(self, max_bytes: int) -> bytes:
        """The whole body; LineBrokenError beyond `max_bytes`."""
        whole = bytearray()
        async for chunk in self.chunks:
            whole += chunk
            if len(whole) > max_bytes:
                raise LineBrokenError("WeChat's answer is larger than anything that is expected.")
        return bytes(whole)


class Exchange:
    """One transport, with httpx's errors translated into ours."""

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
        """Send one request, once; the answer's body can be read inside the block.

        Raises NotSentError, AnswerTimeoutError (no head within `read_timeout_s`) or
        LineBrokenError, the last from inside the block too. The body has no deadline.
        """
        if self._closed:
            raise NotSentError("The line to WeChat is closed here.")
        response = await self._send(method, url, headers, content, read_timeout_s)
        try:
            async with contextlib.aclosing(_chunks(response)) as chunks:
                yield Reply(response.status_code, response.headers, chunks)
        finally:
            # What was read stays read: trouble in hanging up must not undo it.
            with contextlib.suppress(Exception):
                await response.aclose()

    async def aclose(self) -> None:
        self._closed = True
        await self._transport.aclose()

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
            raise NotSentError(f"No connection to WeChat came about ({name}).") from exc
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
    return LineBrokenError(f"The line to WeChat broke ({type(exc).__name__}).")


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _fresh_uint32() -> int:
    return secrets.randbits(32)


class ILinkClient:
    """One bot session's calls (or, without `token`, a login's), each sent at most once.

    `base_url` is checked by `hosts` (UnsafeHostError). The client owns `transport`, opens one of
    its own when None, and closes it in `aclose`. Every call may raise NotSentError,
    LineBrokenError, GatewayError, UnreadableAnswerError and RefusedError, if not said otherwise.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str | None = None,
        identity: ClientIdentity,
        hosts: HostPolicy,
        transport: Transport | None = None,
        random: Callable[[], int] = _fresh_uint32,
        max_body_bytes: int = MAX_BODY_BYTES,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        """`random` gives a fresh number under 2**32 for each request's X-WECHAT-UIN."""
        self.base_url = hosts.check(base_url)
        self._token = token
        self._identity = identity
        self._random = random
        self._max_body_bytes = max_body_bytes
        self._read_timeout_s = read_timeout_s
        self._exchange = Exchange(transport or Transports().open())
        self._get_headers = wire.get_headers(identity, token)
        self._post_headers = wire.post_headers(identity, token)

    async def aclose(self) -> None:
        """Close the transport; later calls raise NotSentError, running ones LineBrokenError."""
        await self._exchange.aclose()

    async def get_bot_qrcode(self, local_tokens: Sequence[str] = ()) -> wire.QRCode:
        """Draw a new QR code; `local_tokens` are the bot tokens we hold, newest first."""
        body = wire.qrcode_body(self._identity, local_tokens)
        return wire.qrcode_of(await self._ask(wire.QRCODE_PATH, body, *local_tokens))

    async def get_qrcode_status(
        self, qrcode: str, *, verify_code: str | None = None, timeout_s: float = 40.0
    ) -> wire.QRStatus:
        """How far the login is, held up to `timeout_s`; a timeout or HTTP 5xx is status WAIT."""
        path = f"{wire.QRCODE_STATUS_PATH}?qrcode={_quoted(qrcode)}"
        if verify_code is not None:
            path += f"&verify_code={_quoted(verify_code)}"
        try:
            http_status, body = await self._get(path, timeout_s)
        except AnswerTimeoutError:
            return wire.QRStatus(wire.LoginStatus.WAIT)
        if http_status >= 500:
            return wire.QRStatus(wire.LoginStatus.WAIT)
        answer = wire.answer_to(http_status, body)
        status = wire.qr_status_of(answer)
        if answer.code != 0 and status.status is wire.LoginStatus.UNKNOWN:
            raise self._refusal(answer, qrcode)
        return status

    async def get_updates(self, cursor: str, *, hold_ms: int = 35_000) -> wire.Updates:
        """One long poll, which the server holds for about `hold_ms`.

        Codes are returned in `Updates.code`, never raised. Nothing in time, or the gateway's
        524, is an empty answer with `timed_out`. An answer that breaks off, or is larger than
        `max_body_bytes`, is LineBrokenError.
        """
        body = wire.updates_body(self._identity, cursor)
        try:
            http_status, answer = await self._post(
                wire.UPDATES_PATH,
                body,
                read_timeout_s=hold_ms / 1000 + POLL_MARGIN_S,
                max_bytes=self._max_body_bytes,
            )
        except AnswerTimeoutError:
            return dataclasses.replace(_NOTHING_CAME, unanswered=True)
        if http_status == _GATEWAY_TIMEOUT:
            return _NOTHING_CAME
        if http_status >= 300:
            wire.answer_to(http_status, answer)
        updates = wire.parse_updates(answer)
        return dataclasses.replace(updates, error_message=self._redacted(updates.error_message))

    async def send_message(
        self, *, to_user_id: str, client_id: str, context_token: str, item: wire.OutgoingItem
    ) -> wire.SendReceipt:
        """Send one item, once. Only NotSentError says that no byte of it left.

        RefusedError (ReplyRefusedError for -2) is WeChat's no; after LineBrokenError,
        GatewayError and UnreadableAnswerError nobody knows whether the message was taken.
        """
        body = wire.send_body(
            self._identity,
            to_user_id=to_user_id,
            client_id=client_id,
            context_token=context_token,
            item=item,
        )
        return wire.receipt_of(await self._ask(wire.SEND_PATH, body, context_token))

    async def get_config(self, user_id: str, context_token: str | None = None) -> str:
        """The typing ticket for one person, good for 10 minutes at least; "" when none came."""
        body = wire.config_body(self._identity, user_id, context_token)
        return wire.typing_ticket_of(await self._ask(wire.CONFIG_PATH, body, context_token or ""))

    async def send_typing(self, user_id: str, ticket: str, on: bool) -> None:
        """Show or hide "typing …"; RefusedError means that the ticket must be dropped."""
        body = wire.typing_body(self._identity, user_id, ticket, on)
        await self._ask(wire.TYPING_PATH, body, ticket)

    async def get_upload_url(self, request: wire.UploadRequest) -> wire.UploadTarget:
        """Ask where to upload one file for one person; to ask again is safe."""
        body = wire.upload_url_body(self._identity, request)
        answer = await self._ask(wire.UPLOAD_URL_PATH, body, request.key.hex())
        return wire.upload_target_of(answer)

    async def notify_start(self) -> None:
        """Tell WeChat that this client comes up."""
        await self._ask(wire.NOTIFY_START_PATH, wire.body_of(self._identity, {}))

    async def notify_stop(self) -> None:
        """Tell WeChat that this client goes down."""
        await self._ask(wire.NOTIFY_STOP_PATH, wire.body_of(self._identity, {}))

    async def _ask(self, path: str, body: bytes, *private: str) -> wire.Answer:
        """POST and insist on code 0; `private` strings never stand in the error's text."""
        http_status, received = await self._post(
            path, body, read_timeout_s=self._read_timeout_s, max_bytes=MAX_ANSWER_BYTES
        )
        answer = wire.answer_to(http_status, received)
        if answer.code != 0:
            raise self._refusal(answer, *private)
        return answer

    async def _post(
        self, path: str, body: bytes, *, read_timeout_s: float, max_bytes: int
    ) -> tuple[int, bytes]:
        headers = {**self._post_headers, "X-WECHAT-UIN": wire.uin_header(self._random())}
        return await self._call("POST", path, headers, body, read_timeout_s, max_bytes)

    async def _get(self, path: str, read_timeout_s: float) -> tuple[int, bytes]:
        return await self._call(
            "GET", path, self._get_headers, None, read_timeout_s, MAX_ANSWER_BYTES
        )

    async def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        read_timeout_s: float,
        max_bytes: int,
    ) -> tuple[int, bytes]:
        """HTTP status and body, within a deadline for the whole; a useless body stays unread."""
        if self._token and not _HEADER_SAFE.fullmatch(self._token):
            # h11 would say so too, and would put the token into its words.
            raise NotSentError("The bot token holds characters that no header can carry.")
        url = f"{self.base_url}{path}"
        try:
            async with (
                asyncio.timeout(read_timeout_s + DEADLINE_MARGIN_S),
                self._exchange.open(
                    method, url, headers, body, read_timeout_s=read_timeout_s
                ) as reply,
            ):
                unread = reply.status >= 500 or 300 <= reply.status < 400
                return reply.status, b"" if unread else await reply.body(max_bytes)
        except TimeoutError as exc:
            raise LineBrokenError("WeChat's answer did not end in time.") from exc

    def _refusal(self, answer: wire.Answer, *private: str) -> RefusedError:
        return refusal(answer.code, self._redacted(answer.error_message, *private))

    def _redacted(self, words: str, *private: str) -> str:
        for secret in (self._token or "", *private):
            words = words.replace(secret, "…") if len(secret) >= _SHORTEST_SECRET else words
        return words


_NOTHING_CAME = wire.Updates(
    code=0,
    error_message="",
    messages=(),
    strays=(),
    cursor=None,
    longpoll_timeout_ms=None,
    raw=b"",
    timed_out=True,
)
