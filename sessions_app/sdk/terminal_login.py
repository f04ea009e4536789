"""One QR login in a terminal: draws the code, reports progress, asks for digits with input().

Runs in the caller's thread. It stores nothing; a token from WeChat is always returned.
"""

import contextlib
import random
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TextIO, TypeVar

import qrcode

from sessions_app.folder.store import StoredToken
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError, UnsafeHostError
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import LoginStatus, QRStatus

from .errors import LoginFailedError

POLL_PAUSE_S = 1.0
CODE_LIFETIME_S = 120.0
"""In seconds.

An unscanned code is replaced after this time; WeChat drops it after about 5 minutes.
"""
FORMER_WAIT_S = 1.5
MAX_CODES = 3
DRAW_TRIES = 5

T = TypeVar("T")


class Runner(Protocol):
    """Runs a coroutine on the background loop and waits for it."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> T: ...


class TerminalLogin:
    """`run` returns the new credentials, or None if the account's bot is already ours."""

    def __init__(
        self,
        *,
        run: Runner,
        open_client: Callable[[str], ILinkClient],
        hosts: HostPolicy,
        start_url: str,
        local_tokens: Sequence[str],
        ask: Callable[[str], str] | None = None,
        out: TextIO | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._open_client = open_client
        self._hosts = hosts
        self._start_url = self._url = start_url
        self._local_tokens = local_tokens
        self._ask = ask or input
        self._out = out or sys.stdout
        self._sleep = sleep
        self._clock = clock
        self._client = open_client(start_url)
        self._handle = ""
        self._former: list[str] = []
        self._is_scanned = False
        self._codes = 0
        self._ends_at = 0.0
        self._said = ""
        self._digits = ""
        self._backoff = Backoff(random.random, later_s=10.0)
        self._pause_s = POLL_PAUSE_S

    def run(self) -> StoredToken | None:
        """Raises LoginFailedError if no code was scanned or WeChat sent no token."""
        try:
            self._draw("Scan this code with WeChat.")
            while True:
                status = self._poll()
                if status.status is LoginStatus.CONFIRMED:
                    return self._credentials(status)
                if status.status is LoginStatus.BINDED_REDIRECT:
                    self._print("This WeChat account is connected already.")
                    return None
                self._follow(status)
                self._sleep(self._pause_s)
        finally:
            self._run(self._client.aclose())

    def _follow(self, status: QRStatus) -> None:
        match status.status:
            case LoginStatus.SCANED:
                self._print("Scanned. Confirm on the phone.")
            case LoginStatus.NEED_VERIFYCODE:
                again = "These digits were wrong. " if self._said == "digits" else ""
                self._said = "digits"
                self._digits = "".join(self._ask(f"{again}Digits on the phone: ").split())
            case LoginStatus.VERIFY_CODE_BLOCKED:
                self._draw("Too many wrong digits. Scan this new code.")
            case LoginStatus.EXPIRED:
                self._draw("The code has expired. Scan this new one.")
            case LoginStatus.SCANED_BUT_REDIRECT:
                self._redirect(status.redirect_host)

    def _poll(self) -> QRStatus:
        """One long poll. Network errors count as still waiting, an old code as expired."""
        for handle in self._former:
            status = self._status_of(handle, timeout_s=FORMER_WAIT_S)
            if status.status not in (LoginStatus.WAIT, LoginStatus.EXPIRED, LoginStatus.UNKNOWN):
                self._handle, self._former = handle, []
                return self._noted(status)
        if self._clock() >= self._ends_at and not self._is_scanned:
            return QRStatus(LoginStatus.EXPIRED)
        digits, self._digits = self._digits, ""
        return self._noted(self._status_of(self._handle, digits=digits))

    def _noted(self, status: QRStatus) -> QRStatus:
        if status.status is not LoginStatus.WAIT:
            self._is_scanned = status.status not in (LoginStatus.EXPIRED, LoginStatus.UNKNOWN)
        return status

    def _status_of(self, handle: str, *, digits: str = "", timeout_s: float = 40.0) -> QRStatus:
        try:
            status = self._run(
                self._client.get_qrcode_status(
                    handle, verify_code=digits or None, timeout_s=timeout_s
                )
            )
        except ILinkError:
            self._pause_s = self._backoff.failed()
            return QRStatus(LoginStatus.WAIT)
        if status.gateway_status:
            self._pause_s = self._backoff.failed()
        else:
            self._backoff.succeeded()
            self._pause_s = POLL_PAUSE_S
        return status

    def _draw(self, words: str) -> None:
        if self._codes >= MAX_CODES:
            raise LoginFailedError("No code was scanned in time; three codes were shown in all.")
        self._move_to(self._start_url)
        for tries_left in reversed(range(DRAW_TRIES)):
            try:
                code = self._run(self._client.get_bot_qrcode(self._local_tokens))
                break
            except ILinkError:
                if not tries_left:
                    raise
                self._sleep(2 * POLL_PAUSE_S)
        self._codes += 1
        # Somebody may have scanned the last code just before it was replaced.
        self._former = [self._handle] if self._handle else []
        self._handle, self._is_scanned = code.qrcode, False
        self._ends_at = self._clock() + CODE_LIFETIME_S
        self._show(code.image_content)
        self._print(words)

    def _show(self, content: str) -> None:
        """Print the code in block characters if the terminal supports them, and always as text."""
        picture = qrcode.QRCode(border=2)
        picture.add_data(content)
        with contextlib.suppress(UnicodeEncodeError):
            picture.print_ascii(out=self._out, invert=True)
        self._out.write(f"{content}\n")

    def _print(self, words: str) -> None:
        if words != self._said:
            self._said = words
            self._out.write(f"{words}\n")
            self._out.flush()

    def _redirect(self, host: str) -> None:
        try:
            self._move_to(self._hosts.redirect(host))
        except UnsafeHostError as error:
            raise LoginFailedError(str(error)) from error

    def _move_to(self, url: str) -> None:
        if url != self._url:
            self._run(self._client.aclose())
            self._url, self._client = url, self._open_client(url)

    def _credentials(self, status: QRStatus) -> StoredToken:
        if not status.bot_token or not status.bot_id:
            raise LoginFailedError("WeChat confirmed the scan without handing out a token.")
        try:
            base_url = self._hosts.check(status.base_url) if status.base_url else self._url
        except UnsafeHostError:
            # The account was bound already: its token belongs to the address that issued it.
            base_url = self._url
        return StoredToken(status.bot_id, base_url, status.bot_token, status.user_id)
