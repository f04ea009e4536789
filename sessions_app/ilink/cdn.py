"""Downloads and uploads files on WeChat's CDN as streams, in constant memory.

Must never connect to a URL that `hosts` has not allowed, and never log one: the query grants access
to the file.
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
"""In seconds.

If the CDN asks for a longer pause, the caller is told, who can report it meanwhile.
"""

Source = Callable[[], AsyncGenerator[bytes, None]]
"""Returns the plaintext from its beginning each time it is called: a retry reads it again.
"""


def bytes_source(data: bytes) -> Source:
    """A source that reads from memory."""

    async def read() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]

    return read


class Cdn:
    """The CDN at `base_url` and the other hosts that `hosts` allows. Owns its transport."""

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
        """`full_url`, or else a URL made from the query parameter.

        Raises UnsafeHostError, CdnFinalError.
        """
        if media.full_url:
            return self._hosts.check_file(media.full_url)
        if not media.encrypt_query_param:
            raise CdnFinalError("The message does not say where its file is")
        param = quote(media.encrypt_query_param, safe="", errors="replace")
        return f"{self._base_url}/download?encrypted_query_param={param}"

    def upload_url(self, target: UploadTarget, file_key: str) -> str:
        """`upload_full_url`, or else a URL made from the upload parameter.

        Raises UnsafeHostError.
        """
        if target.upload_full_url:
            return self._hosts.check_file(target.upload_full_url)
        param = quote(target.upload_param, safe="", errors="replace")
        key = quote(file_key, safe="")
        return f"{self._base_url}/upload?encrypted_query_param={param}&filekey={key}"

    async def download(
        self, media: Media, *, max_bytes: int, deadline_s: float = DOWNLOAD_DEADLINE_S
    ) -> AsyncGenerator[bytes, None]:
        """Yield the plaintext in pieces. Without a key in `media` the file is not encrypted.

        Raises CdnFinalError (most of 4xx), CdnTooLargeError (over `max_bytes`), CdnTransientError,
        UnsafeHostError and CryptoError. Errors may only show at the end, so discard the file if the
        iteration raised. Close the generator (`contextlib.aclosing`) when leaving it early.
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
        """Like `download`, but without decrypting (see `opening`)."""
        url = self.download_url(media)
        try:
            async with self._exchange.open(
                "GET", url, {"Accept-Encoding": "identity"}, read_timeout_s=READ_TIMEOUT_S
            ) as reply:
                _raise_for_status(reply, "The CDN does not give this file")
                allowance = _Allowance(max_bytes, deadline_s)
                async for chunk in reply.chunks:
                    allowance.take(chunk)
                    yield chunk
        except (NotSentError, LineBrokenError) as exc:
            raise CdnTransientError(f"The CDN could not be reached: {exc}") from exc

    async def upload(
        self, target: UploadTarget, *, file_key: str, key: bytes, source: Source, size: int
    ) -> str:
        """Encrypt and upload `size` plaintext bytes. Returns the download parameter to send.

        Most of 4xx raises CdnFinalError at once. 5xx, 408, 425, 429, a broken connection and an
        answer without the parameter are tried three times in all, then raise CdnTransientError; at
        once if the CDN asks for a pause longer than some seconds. A source that yields another
        number of bytes than `size` raises CdnFinalError.
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
                _raise_for_status(reply, "The CDN does not take this file")
                param = clean(reply.headers.get("x-encrypted-param", ""))
        except (NotSentError, LineBrokenError) as exc:
            raise CdnTransientError(f"The CDN could not be reached: {exc}") from exc
        if not param:
            raise CdnTransientError("The CDN accepted the file but did not say where it is.")
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
    """The rest of a download's limits, in bytes and in time."""

    def __init__(self, max_bytes: int, deadline_s: float) -> None:
        # The ciphertext of a file of max_bytes is up to one block longer.
        self._left = cipher_size(max_bytes)
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + deadline_s

    def take(self, chunk: bytes) -> None:
        """Count a piece. Raises if the size limit or the deadline is exceeded."""
        self._left -= len(chunk)
        if self._left < 0:
            raise CdnTooLargeError("The file is larger than allowed here")
        if self._clock() > self._ends_at:
            raise CdnTransientError("The CDN was too slow.")


def _raise_for_status(reply: Reply, refused: str) -> None:
    if 200 <= reply.status < 300:
        return
    # A redirect is not followed. It comes from a gateway on the way, not from the CDN.
    if not 400 <= reply.status < 500 or reply.status in BUSY_STATUSES:
        raise CdnTransientError(
            f"The CDN answered with HTTP status {reply.status}.",
            status=reply.status,
            retry_after_s=retry_after_s(reply.headers),
        )
    reason = reply.headers.get("x-error-message", "") or f"HTTP status {reply.status}"
    raise CdnFinalError(refused, status=reply.status, reason=reason)
