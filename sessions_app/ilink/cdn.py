"""Files on WeChat's CDN: fetched and stored as streams, in constant memory.

It must never follow an address that `hosts` has not passed, and never log one: the query is the
right to read the file.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from urllib.parse import quote

from .client import Exchange, Reply, Transport, Transports
from .crypto import Decryptor, Encryptor, cipher_size, decode_key
from .errors import (
    BUSY_STATUSES,
    CdnFinalError,
    CdnTooLargeError,
    CdnTransientError,
    LineBrokenError,
    NotSentError,
)
from .hosts import HostPolicy
from .retry_after import retry_after_s
from .wire import Media, UploadTarget, clean

UPLOAD_TRIES = 3
CHUNK_BYTES = 256 * 1024
DOWNLOAD_DEADLINE_S = 900.0
READ_TIMEOUT_S = 30.0
_RETRY_PAUSES_S = (0.5, 2.0)
_LONGEST_PAUSE_S = 5.0
"""A CDN that asks for more is left to the caller, who can say so meanwhile."""

Source = Callable[[], AsyncGenerator[bytes, None]]
"""Gives the plaintext from its beginning, each time it is called: a retry reads it again."""


def bytes_source(data: bytes) -> Source:
    """A source in memory."""

    async def read() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]

    return read


class Cdn:
    """The CDN at `base_url` and whatever other hosts `hosts` allows; owns its transport."""

    def __init__(
        self,
        *,
        base_url: str,
        hosts: HostPolicy,
        transport: Transport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = hosts.check(base_url)
        self._hosts = hosts
        self._exchange = Exchange(transport or Transports().open())
        self._sleep = sleep

    async def aclose(self) -> None:
        await self._exchange.aclose()

    def download_url(self, media: Media) -> str:
        """`full_url`, else one built from the query parameter; UnsafeHostError, CdnFinalError."""
        if media.full_url:
            return self._hosts.check_file(media.full_url)
        if not media.encrypt_query_param:
            raise CdnFinalError("The message does not say where its file lies")
        param = quote(media.encrypt_query_param, safe="", errors="replace")
        return f"{self._base_url}/download?encrypted_query_param={param}"

    def upload_url(self, target: UploadTarget, file_key: str) -> str:
        """`upload_full_url`, else one built from the upload parameter; UnsafeHostError."""
        if target.upload_full_url:
            return self._hosts.check_file(target.upload_full_url)
        param = quote(target.upload_param, safe="", errors="replace")
        key = quote(file_key, safe="")
        return f"{self._base_url}/upload?encrypted_query_param={param}&filekey={key}"

    async def download(
        self, media: Media, *, max_bytes: int, deadline_s: float = DOWNLOAD_DEADLINE_S
    ) -> AsyncGenerator[bytes, None]:
        """Yield the plaintext in pieces; without a key in `media` the file is plain already.

        Raises CdnFinalError (most of 4xx), CdnTooLargeError (over `max_bytes`), CdnTransientError,
        UnsafeHostError and CryptoError. Only the end tells whether all was right: keep nothing of
        a file whose iteration raised. Close the generator (`contextlib.aclosing`) when leaving it
        early.
        """
        decryptor = Decryptor(decode_key(media.aes_key)) if media.aes_key.strip() else None
        pieces = self.download_encrypted(media, max_bytes=max_bytes, deadline_s=deadline_s)
        async with contextlib.aclosing(pieces):
            async for chunk in pieces:
                if piece := chunk if decryptor is None else decryptor.update(chunk):
                    yield piece
        if decryptor is not None and (piece := decryptor.finalize()):
            yield piece

    async def download_encrypted(
        self, media: Media, *, max_bytes: int, deadline_s: float = DOWNLOAD_DEADLINE_S
    ) -> AsyncGenerator[bytes, None]:
        """The same without opening it: the bytes as the CDN gives them (see `opening`)."""
        url = self.download_url(media)
        try:
            async with self._exchange.open(
                "GET", url, {"Accept-Encoding": "identity"}, read_timeout_s=READ_TIMEOUT_S
            ) as reply:
                _insist_on_success(reply, "The CDN does not give this file")
                allowance = _Allowance(max_bytes, deadline_s)
                async for chunk in reply.chunks:
                    allowance.take(chunk)
                    yield chunk
        except (NotSentError, LineBrokenError) as exc:
            raise CdnTransientError(f"The CDN could not be reached: {exc}") from exc

    async def upload(
        self, target: UploadTarget, *, file_key: str, key: bytes, source: Source, size: int
    ) -> str:
        """Encrypt and store `size` plaintext bytes; the download parameter to send.

        Most of 4xx is CdnFinalError at once; 5xx, 408, 425, 429, a broken line and an answer
        without the parameter are tried three times in all, then CdnTransientError; at once when
        the CDN asks to be left alone for more than some seconds. A source that brings another
        number of bytes than `size` is CdnFinalError.
        """
        url = self.upload_url(target, file_key)
        for pause_s in (*_RETRY_PAUSES_S[: UPLOAD_TRIES - 1], None):
            try:
                return await self._upload_once(url, key, source, size)
            except CdnTransientError as error:
                wanted_s = error.retry_after_s or 0.0
                if pause_s is None or wanted_s > _LONGEST_PAUSE_S:
                    raise
            await self._sleep(max(pause_s, wanted_s))
        raise AssertionError("unreachable")

    async def _upload_once(self, url: str, key: bytes, source: Source, size: int) -> str:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(cipher_size(size)),
            "Accept-Encoding": "identity",
        }
        try:
            async with (
                contextlib.aclosing(_encrypted(source, key, size)) as content,
                self._exchange.open(
                    "POST", url, headers, content, read_timeout_s=READ_TIMEOUT_S
                ) as reply,
            ):
                _insist_on_success(reply, "The CDN does not take this file")
                param = clean(reply.headers.get("x-encrypted-param", ""))
        except (NotSentError, LineBrokenError) as exc:
            raise CdnTransientError(f"The CDN could not be reached: {exc}") from exc
        if not param:
            raise CdnTransientError("The CDN took the file and did not say where it lies.")
        return param


async def _encrypted(source: Source, key: bytes, size: int) -> AsyncGenerator[bytes, None]:
    encryptor = Encryptor(key)
    seen = 0
    async with contextlib.aclosing(source()) as chunks:
        async for chunk in chunks:
            seen += len(chunk)
            if seen > size:
                break
            if piece := encryptor.update(chunk):
                yield piece
    if seen != size:
        raise CdnFinalError("The file changed its size while it was sent")
    yield encryptor.finalize()


class _Allowance:
    """How much of a download is still allowed, in bytes and in time."""

    def __init__(self, max_bytes: int, deadline_s: float) -> None:
        # The ciphertext of a file of max_bytes is up to a block longer.
        self._left = cipher_size(max_bytes)
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + deadline_s

    def take(self, chunk: bytes) -> None:
        """Count a piece; raises beyond the size, and when a trickle outlasts the deadline."""
        self._left -= len(chunk)
        if self._left < 0:
            raise CdnTooLargeError("The file is larger than is allowed here")
        if self._clock() > self._ends_at:
            raise CdnTransientError("The CDN was too slow.")


def _insist_on_success(reply: Reply, refused: str) -> None:
    if 200 <= reply.status < 300:
        return
    if reply.status >= 500 or reply.status in BUSY_STATUSES:
        raise CdnTransientError(
            f"The CDN answered with HTTP status {reply.status}.",
            status=reply.status,
            retry_after_s=retry_after_s(reply.headers),
        )
    reason = reply.headers.get("x-error-message", "") or f"HTTP status {reply.status}"
    raise CdnFinalError(refused, status=reply.status, reason=reason)
