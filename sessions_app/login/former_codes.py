"""Watches QR codes that were replaced on the screen, in case somebody scanned one just before.

The console replaces a code before WeChat expires it. Without this watch, a scan in the last moment
would be lost together with its token. A replaced code is polled until WeChat expires it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError
from sessions_app.ilink.wire import LoginStatus, QRStatus

logger = logging.getLogger(__name__)

GOOD_FOR_S = 330.0
"""WeChat's own codes live for about 5 minutes."""
_OVER = (LoginStatus.EXPIRED, LoginStatus.VERIFY_CODE_BLOCKED)
_NOT_SCANNED = (LoginStatus.WAIT, LoginStatus.UNKNOWN)
_SCANNED = (
    LoginStatus.SCANED,
    LoginStatus.NEED_VERIFYCODE,
    LoginStatus.SCANED_BUT_REDIRECT,
)


@dataclass(frozen=True, slots=True)
class Code:
    """One QR code from WeChat. `qrcode`: its handle; `image_content`: the text to draw."""

    qrcode: str
    image_content: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A replaced code that was scanned, and its status at WeChat."""

    code: Code
    status: QRStatus


class FormerCodes:
    """Watches any number of replaced codes of one login. Sets `wake` when one is scanned."""

    def __init__(
        self,
        open_client: Callable[[str], ILinkClient],
        url: str,
        wake: asyncio.Event,
        clock: Callable[[], float],
        new_backoff: Callable[[], Backoff],
        poll_pause_s: float,
    ) -> None:
        self._open_client = open_client
        self._url = url
        self._wake = wake
        self._clock = clock
        self._new_backoff = new_backoff
        self._poll_pause_s = poll_pause_s
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._scans: list[Scan] = []

    def watch(self, code: Code, *, was_scanned: bool) -> None:
        """Start watching.

        `was_scanned`: the scan is known already, so only its outcome is reported.
        """
        if code.qrcode and code.qrcode not in self._watches:
            old_news = _NOT_SCANNED + (_SCANNED if was_scanned else ())
            self._watches[code.qrcode] = asyncio.create_task(self._watch(code, old_news))

    @property
    def has_scan(self) -> bool:
        return bool(self._scans)

    def take_scan(self) -> Scan | None:
        """Remove and return the oldest scan, or None."""
        return self._scans.pop(0) if self._scans else None

    async def aclose(self) -> None:
        for watch in self._watches.values():
            watch.cancel()
        await asyncio.gather(*self._watches.values(), return_exceptions=True)

    async def _watch(self, code: Code, old_news: tuple[LoginStatus, ...]) -> None:
        client, backoff = self._open_client(self._url), self._new_backoff()
        ends_at = self._clock() + GOOD_FOR_S
        try:
            while self._clock() < ends_at:
                pause_s = self._poll_pause_s
                try:
                    status = await client.get_qrcode_status(code.qrcode)
                except ILinkError:
                    pause_s = backoff.failed()
                else:
                    if status.gateway_status or status.status is LoginStatus.UNKNOWN:
                        pause_s = backoff.failed()
                    else:
                        backoff.succeeded()
                    if status.status in _OVER:
                        return
                    if status.status not in old_news:
                        self._scans.append(Scan(code, status))
                        self._wake.set()
                        return
                await asyncio.sleep(pause_s)
        finally:
            self._watches.pop(code.qrcode, None)
            await client.aclose()
