"""WeChat's calls over HTTP, one method each. Each call is sent at most once."""

import asyncio
import dataclasses
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from . import wire
from .errors import (
    BUSY_STATUSES,
    AnswerTimeoutError,
    GatewayError,
    LineBrokenError,
    NotSentError,
    RefusedError,
    UnreadableAnswerError,
    refusal,
)
from .exchange import (
    READ_TIMEOUT_S,
    Exchange,
    Partial,
    Reply,
    Transport,
    Transports,
    asgi_transport,
)
from .hosts import HostPolicy
from .retry_after import retry_after_s
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

POLL_MARGIN_S = 10.0  # the client must wait longer than the server, or it loses every race
# TCP and TLS each take up to CONNECT_TIMEOUT_S; the deadline of a call must be longer than both.
DEADLINE_MARGIN_S = 25.0
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_ANSWER_BYTES = 1024 * 1024
_GATEWAY_TIMEOUT = 524
_SHORTEST_SECRET = 4
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+", re.ASCII)


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _fresh_uint32() -> int:
    return secrets.randbits(32)


class ILinkClient:
    """The calls of one bot session, or without `token` of a login. Each is sent at most once.

    `base_url` is checked by `hosts` (UnsafeHostError). The client owns `transport`, opens one if
    None, and closes it in `aclose`. Unless stated otherwise every call may raise NotSentError,
    LineBrokenError, GatewayError, UnreadableAnswerError and RefusedError.
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
        """`random` returns a new number below 2**32 for the X-WECHAT-UIN of each request."""
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
        """Close the transport. Later calls raise NotSentError, running ones LineBrokenError."""
        await self._exchange.aclose()

    async def get_bot_qrcode(self, local_tokens: Sequence[str] = ()) -> wire.QRCode:
        """Request a new QR code. `local_tokens`: the bot tokens we hold, newest first."""
        body = wire.qrcode_body(self._identity, local_tokens)
        return wire.qrcode_of(await self._post_checked(wire.QRCODE_PATH, body, *local_tokens))

    async def get_qrcode_status(
        self, qrcode: str, *, verify_code: str | None = None, timeout_s: float = 40.0
    ) -> wire.QRStatus:
        """The state of a login, held up to `timeout_s` by WeChat. Timeout and HTTP 5xx mean WAIT.

        `gateway_status` is set for HTTP 5xx, after which the caller should poll less often.
        """
        path = f"{wire.QRCODE_STATUS_PATH}?qrcode={_quoted(qrcode)}"
        if verify_code is not None:
            path += f"&verify_code={_quoted(verify_code)}"
        try:
            http_status, body = await self._get(path, timeout_s)
        except AnswerTimeoutError:
            return wire.QRStatus(wire.LoginStatus.WAIT)
        if http_status >= 500:
            return wire.QRStatus(wire.LoginStatus.WAIT, gateway_status=http_status)
        answer = wire.answer_to(http_status, body)
        status = wire.qr_status_of(answer)
        if answer.code != 0 and status.status is wire.LoginStatus.UNKNOWN:
            raise self._refusal(answer, qrcode)
        return status

    async def get_updates(self, cursor: str, *, hold_ms: int = 35_000) -> wire.Updates:
        """One long poll, which the server holds for about `hold_ms`.

        Error codes are returned in `Updates.code`, not raised. No answer in time, or the gateway's
        524, is an empty answer with `timed_out`. If an answer breaks off, exceeds `max_body_bytes`
        or is not JSON, `Updates.broke_off` says so, and the complete messages at its beginning are
        included. LineBrokenError: not one byte of an answer arrived.
        """
        body = wire.updates_body(self._identity, cursor)
        partial = Partial()
        try:
            http_status, answer = await self._post(
                wire.UPDATES_PATH,
                body,
                read_timeout_s=hold_ms / 1000 + POLL_MARGIN_S,
                max_bytes=self._max_body_bytes,
                partial=partial,
            )
        except AnswerTimeoutError:
            return dataclasses.replace(_NOTHING_CAME, unanswered=True)
        except LineBrokenError as error:
            if not partial.is_part_of_an_answer:
                raise
            return wire.parse_broken(bytes(partial.body), str(error), length=partial.length)
        if http_status == _GATEWAY_TIMEOUT:
            return dataclasses.replace(_NOTHING_CAME, gateway_status=http_status)
        if http_status >= 300:
            wire.answer_to(http_status, answer)
        try:
            updates = wire.parse_updates(answer)
        except UnreadableAnswerError as error:
            if not partial.is_part_of_an_answer:
                raise
            return wire.parse_broken(answer, str(error))
        return dataclasses.replace(updates, error_message=self._redacted(updates.error_message))

    async def send_message(
        self, *, to_user_id: str, client_id: str, context_token: str, item: wire.OutgoingItem
    ) -> wire.SendReceipt:
        """Send one item, once. Only NotSentError guarantees that no byte was sent.

        RefusedError (ReplyRefusedError for -2) means that WeChat refused. After LineBrokenError,
        GatewayError and UnreadableAnswerError it is unknown whether the message was accepted.
        """
        body = wire.send_body(
            self._identity,
            to_user_id=to_user_id,
            client_id=client_id,
            context_token=context_token,
            item=item,
        )
        return wire.receipt_of(await self._post_checked(wire.SEND_PATH, body, context_token))

    async def get_config(self, user_id: str, context_token: str | None = None) -> str:
        """The typing ticket for one person, valid for at least 10 minutes.

        "" if WeChat sent none.
        """
        body = wire.config_body(self._identity, user_id, context_token)
        return wire.typing_ticket_of(
            await self._post_checked(wire.CONFIG_PATH, body, context_token or "")
        )

    async def send_typing(self, user_id: str, ticket: str, on: bool) -> None:
        """Show or hide "typing …". On RefusedError the ticket must be dropped."""
        body = wire.typing_body(self._identity, user_id, ticket, on)
        await self._post_checked(wire.TYPING_PATH, body, ticket)

    async def get_upload_url(self, request: wire.UploadRequest) -> wire.UploadTarget:
        """Ask where to upload one file for one person. Can safely be repeated.

        A busy server is GatewayError, with the requested pause.
        """
        body = wire.upload_url_body(self._identity, request)
        answer = await self._post_checked(wire.UPLOAD_URL_PATH, body, request.key.hex())
        return wire.upload_target_of(answer)

    async def notify_start(self) -> None:
        """Tell WeChat that this client starts."""
        await self._post_checked(wire.NOTIFY_START_PATH, wire.body_of(self._identity, {}))

    async def notify_stop(self) -> None:
        """Tell WeChat that this client stops."""
        await self._post_checked(wire.NOTIFY_STOP_PATH, wire.body_of(self._identity, {}))

    async def _post_checked(self, path: str, body: bytes, *private: str) -> wire.Answer:
        """POST and raise unless the code is 0.

        `private` strings are removed from the error's text.
        """
        http_status, received = await self._post(
            path, body, read_timeout_s=self._read_timeout_s, max_bytes=MAX_ANSWER_BYTES
        )
        answer = wire.answer_to(http_status, received)
        if answer.code != 0:
            raise self._refusal(answer, *private)
        return answer

    async def _post(
        self,
        path: str,
        body: bytes,
        *,
        read_timeout_s: float,
        max_bytes: int,
        partial: Partial | None = None,
    ) -> tuple[int, bytes]:
        headers = {**self._post_headers, "X-WECHAT-UIN": wire.uin_header(self._random())}
        return await self._call("POST", path, headers, body, read_timeout_s, max_bytes, partial)

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
        partial: Partial | None = None,
    ) -> tuple[int, bytes]:
        """HTTP status and body, within a deadline for the whole call.

        Useless bodies are not read.
        """
        partial = partial or Partial()
        if self._token and not _HEADER_SAFE.fullmatch(self._token):
            # h11 would reject it as well, but with the token in its error message.
            raise NotSentError("The bot token contains characters that no header allows.")
        url = f"{self.base_url}{path}"
        try:
            async with (
                asyncio.timeout(read_timeout_s + DEADLINE_MARGIN_S),
                self._exchange.open(
                    method, url, headers, body, read_timeout_s=read_timeout_s
                ) as reply,
            ):
                if path == wire.UPLOAD_URL_PATH and reply.status in BUSY_STATUSES:
                    raise GatewayError(reply.status, retry_after_s=retry_after_s(reply.headers))
                partial.begin(reply)
                unread = reply.status >= 500 or 300 <= reply.status < 400
                return reply.status, b"" if unread else await reply.body(max_bytes, partial.body)
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
