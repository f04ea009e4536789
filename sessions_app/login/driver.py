"""Drives one QR login against WeChat: draws codes, polls their status, hands the result over.

Talks to WeChat and to `login` only. It never decides what a scan means for a session.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from django.utils import timezone

from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import (
    GatewayError,
    ILinkError,
    NotSentError,
    RefusedError,
    UnreadableAnswerError,
    UnsafeHostError,
)
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import LoginStatus, QRCode, QRStatus
from sessions_app.login import attempts
from sessions_app.login.former_codes import Code, FormerCodes, Scan
from sessions_app.loops.wake_or_sweep import is_set_within
from sessions_app.models import LoginAttempt, LoginState
from sessions_app.sessions.binding import Credentials

logger = logging.getLogger(__name__)

POLL_PAUSE_S = 1.0
MAX_DRAW_FAILURES = 5
MAX_POLL_FAILURES = 3
"""In a row: from then on a code that is over its age is given up, and the page says why."""
HELD_S = 10.0
"""A poll that the gateway held for so long and then gave up is asked again soon."""

_UNSCANNED = (LoginState.WAITING, LoginState.REFRESHED, LoginState.VERIFY_CODE_BLOCKED)

OpenClient = Callable[[str], ILinkClient]
"""Opens a client without a token to a base url."""


class _Ended(Exception):  # noqa: N818
    """The attempt is finished, by us or by somebody else."""


class LoginDriver:
    """One attempt, from its first code to a final status. `run()` returns when it is final."""

    def __init__(
        self,
        attempt_id: str,
        *,
        run_in_database_thread: RunInDatabaseThread,
        open_client: OpenClient,
        hosts: HostPolicy,
        start_url: str,
        wake: asyncio.Event,
        new_backoff: Callable[[], Backoff],
        poll_pause_s: float = POLL_PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.attempt_id = attempt_id
        self.run_in_database_thread = run_in_database_thread
        self.open_client = open_client
        self.hosts = hosts
        self.start_url = start_url
        self.poll_url = start_url
        self.wake = wake
        self.new_backoff = new_backoff
        self.usual_pause_s = poll_pause_s
        self.code = Code("", "")
        self.former = FormerCodes(open_client, start_url, wake, clock, new_backoff, poll_pause_s)
        self.codes_drawn = 0
        self.expires_at: datetime | None = None
        self.shown = LoginState.WAITING
        self.judging = False
        self.client = open_client(start_url)
        self.poll_backoff = self.new_backoff()
        self.poll_pause_s = poll_pause_s
        self.clock = clock
        self.heard_at = clock()
        self.trouble = ("", "")

    async def run(self) -> None:
        """What goes wrong here is waited out: a scan may be on its way and is not dropped."""
        backoff = self.new_backoff()
        try:
            while True:
                try:
                    await self._drive(backoff)
                except _Ended:
                    return
                except Exception:
                    logger.exception("login %s: interrupted; it goes on", self.attempt_id)
                    await self._pause(backoff.failed())
        finally:
            try:
                await self.former.aclose()
            finally:
                await self.client.aclose()

    async def _drive(self, backoff: Backoff) -> None:
        await self._resume_or_draw()
        while True:
            await self._step()
            backoff.succeeded()
            await self._pause(self.poll_pause_s)

    async def _pause(self, seconds: float) -> None:
        """Wait, or less when somebody typed digits or cancelled."""
        self.wake.clear()
        await is_set_within(self.wake, seconds)

    async def _write(self, **columns: object) -> None:
        if not await self.run_in_database_thread(attempts.write, self.attempt_id, **columns):
            raise _Ended

    async def _finish(self, status: LoginState, code: str = "", detail: str = "") -> NoReturn:
        await self._write(status=status, error_code=code, error_detail=detail[:400])
        raise _Ended

    async def _resume_or_draw(self) -> None:
        """A code that an earlier worker drew is polled on; else the first one is drawn."""
        attempt = await self.run_in_database_thread(_attempt, self.attempt_id)
        if attempt is None or attempt.finished_at is not None:
            raise _Ended
        self.codes_drawn = attempt.qr_number
        if not attempt.qrcode:
            await self._draw(LoginState.WAITING)
            return
        self.code = Code(attempt.qrcode, attempt.qr_url)
        self.expires_at, self.shown = attempt.expires_at, LoginState(attempt.status)
        await self._move_to(attempt.poll_url or self.start_url)

    async def _draw(self, status: LoginState) -> None:
        """Show a code, the third at most."""
        if self.codes_drawn >= attempts.MAX_CODES:
            if self.trouble[0]:  # somebody may have scanned: WeChat did not say
                await self._finish(LoginState.FAILED, *self.trouble)
            await self._finish(LoginState.EXPIRED, "too_many_codes")
        if self.poll_url != self.start_url:
            await self._move_to(self.start_url)
        tokens = await self.run_in_database_thread(_local_tokens, self.attempt_id)
        code = await self._fetch_code(tokens)
        self.former.watch(self.code, was_scanned=self.shown not in _UNSCANNED)
        self.codes_drawn += 1
        self.code, self.shown = Code(code.qrcode, code.image_content), status
        drawn = await self.run_in_database_thread(
            attempts.show_code,
            self.attempt_id,
            qrcode_handle=code.qrcode,
            qr_url=code.image_content,
            status=status,
        )
        if not drawn:
            raise _Ended
        self.trouble = ("", "")  # the row's went with the former code
        attempt = await self.run_in_database_thread(_attempt, self.attempt_id)
        self.expires_at = attempt.expires_at if attempt else None

    async def _fetch_code(self, tokens: list[str]) -> QRCode:
        backoff = self.new_backoff()
        while True:
            try:
                return await self.client.get_bot_qrcode(tokens)
            except ILinkError as error:
                logger.warning("login %s: no code: %s", self.attempt_id, error)
                wait_s = backoff.failed()
                code, detail = trouble_of(error)
                if backoff.failures >= MAX_DRAW_FAILURES:
                    await self._finish(LoginState.FAILED, code, detail)
                await self._write(error_code=code, error_detail=detail)
            await self._pause(wait_s)
            if not await self.run_in_database_thread(attempts.is_open, self.attempt_id):
                raise _Ended

    async def _step(self) -> None:
        """Wait for digits where they are wanted; else one long poll and what follows from it."""
        scan = self.former.take_scan()
        if scan is not None:
            await self._take_former(scan)
            return
        if await self.run_in_database_thread(attempts.take_new_code_wish, self.attempt_id):
            self.codes_drawn = 0
            await self._draw(LoginState.REFRESHED)
            return
        digits = await self.run_in_database_thread(attempts.take_verify_code, self.attempt_id)
        if not await self.run_in_database_thread(attempts.is_open, self.attempt_id):
            raise _Ended
        wanted = (LoginState.VERIFY_CODE_REQUIRED, LoginState.VERIFY_CODE_WRONG)
        if self.shown in wanted and not digits and not self._is_over_age():
            return
        if digits:  # the row says “scanned” since they were given; what WeChat says of them is news
            self.shown, self.judging = LoginState.SCANNED, True
        status = await self._poll(digits)
        if status is not None:
            await self._follow(status, sent_digits=bool(digits))
        if self._is_to_be_replaced():
            await self._draw(LoginState.REFRESHED)

    async def _take_former(self, scan: Scan) -> None:
        """A replaced code was scanned: the login goes on with it, and the newer one is watched."""
        if self.poll_url != self.start_url:
            await self._move_to(self.start_url)
        self.former.watch(self.code, was_scanned=False)
        self.code = scan.code
        if not await self.run_in_database_thread(
            attempts.show_former_code, self.attempt_id, scan.code
        ):
            raise _Ended
        await self._follow(scan.status, sent_digits=False)

    def _is_to_be_replaced(self) -> bool:
        """Nobody has scanned it in time, or WeChat says nothing of it any more."""
        unheard = self.poll_backoff.failures >= MAX_POLL_FAILURES
        return self._is_over_age() and (self.shown in _UNSCANNED or unheard)

    def _time_left_s(self) -> float | None:
        """How long an unscanned code still stands. None: until WeChat says something."""
        if self.expires_at is None or self.shown not in _UNSCANNED:
            return None
        return max(0.0, (self.expires_at - timezone.now()).total_seconds())

    def _is_over_age(self) -> bool:
        return self.expires_at is not None and timezone.now() >= self.expires_at

    async def _poll(self, digits: str) -> QRStatus | None:
        """One long poll that a cancel cuts short. None: cut short, or the line failed."""
        began = self.clock()
        call = asyncio.ensure_future(
            self.client.get_qrcode_status(self.code.qrcode, verify_code=digits or None)
        )
        self.wake.clear()
        woken = asyncio.ensure_future(self.wake.wait())
        try:
            while not call.done():
                left_s = self._time_left_s()
                done, _pending = await asyncio.wait(
                    {call, woken}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    return None  # over its age
                if woken.done() and not call.done():
                    if self.former.has_scan or await self.run_in_database_thread(
                        attempts.needs_look, self.attempt_id
                    ):
                        return None
                    self.wake.clear()
                    woken = asyncio.ensure_future(self.wake.wait())
            status = call.result()
        except ILinkError as error:
            logger.info("login %s: status poll failed: %s", self.attempt_id, error)
            self.poll_pause_s = self.poll_backoff.failed()
            await self._tell_trouble(*trouble_of(error))
            return None
        else:
            if status.gateway_status:
                await self._gateway_gave_up(status.gateway_status, self.clock() - began)
                return None
            if status.status is LoginStatus.UNKNOWN:  # no news, and perhaps at once, for ever
                self.poll_pause_s = self.poll_backoff.failed()
                await self._tell_trouble("unreadable", "")
                return None
            self.poll_backoff.succeeded()
            self.poll_pause_s, self.heard_at = self.usual_pause_s, self.clock()
            await self._tell_trouble("", "")
            return status
        finally:
            call.cancel()
            woken.cancel()
            await asyncio.gather(call, woken, return_exceptions=True)

    async def _gateway_gave_up(self, http_status: int, took_s: float) -> None:
        """One is normal for a long poll. It is no answer, so it is asked ever less often."""
        pause_s = self.poll_backoff.failed()
        self.poll_pause_s = pause_s if took_s < HELD_S else min(pause_s, HELD_S)
        minutes = int((self.clock() - self.heard_at) // 60)
        if minutes:
            await self._tell_trouble("http_for", f"{http_status} {minutes}")
        else:
            await self._tell_trouble("http", str(http_status))

    async def _tell_trouble(self, code: str, detail: str) -> None:
        """What the page says while no answer comes; taken back by the first one that does."""
        is_news = (code, detail) != self.trouble
        if is_news and (not code or self.poll_backoff.failures >= MAX_POLL_FAILURES):
            await self._write(error_code=code, error_detail=detail)
            self.trouble = (code, detail)

    async def _follow(self, status: QRStatus, *, sent_digits: bool) -> None:
        match status.status:
            case LoginStatus.WAIT:
                if self.shown is LoginState.SCANNED:  # refused on the phone
                    await self._show(LoginState.WAITING)
            case LoginStatus.SCANED:
                await self._show(LoginState.SCANNED)
            case LoginStatus.NEED_VERIFYCODE:
                wrong = sent_digits or self.shown is LoginState.VERIFY_CODE_WRONG
                await self._show(
                    LoginState.VERIFY_CODE_WRONG if wrong else LoginState.VERIFY_CODE_REQUIRED
                )
            case LoginStatus.VERIFY_CODE_BLOCKED:
                await self._draw(LoginState.VERIFY_CODE_BLOCKED)
            case LoginStatus.EXPIRED:
                await self._draw(LoginState.REFRESHED)
            case LoginStatus.SCANED_BUT_REDIRECT:
                await self._redirect(status.redirect_host)
            case LoginStatus.BINDED_REDIRECT:
                await self._finish(LoginState.ALREADY_CONNECTED)
            case LoginStatus.CONFIRMED:
                await self._confirm(status)

    async def _show(self, status: LoginState) -> None:
        if self.shown is not status or self.judging:
            await self._write(status=status)
            self.shown, self.judging = status, False

    async def _redirect(self, host: str) -> None:
        try:
            url = self.hosts.redirect(host)
        except UnsafeHostError:
            await self._finish(LoginState.FAILED, "unsafe_host", host)
        await self._write(status=LoginState.SCANNED, poll_url=url)
        self.shown = LoginState.SCANNED
        await self._move_to(url)

    async def _move_to(self, url: str) -> None:
        if url == self.poll_url:
            return
        former, self.client, self.poll_url = self.client, self.open_client(url), url
        await former.aclose()

    async def _confirm(self, status: QRStatus) -> None:
        if not status.bot_token or not status.bot_id:
            await self._finish(LoginState.FAILED, "no_credentials")
        try:
            base_url = self.hosts.check(status.base_url) if status.base_url else self.poll_url
        except UnsafeHostError:
            # The account is bound already: keep its token, at the address that handed it out.
            logger.warning("login %s: baseurl not allowed, kept the polled one", self.attempt_id)
            base_url = self.poll_url
        credentials = Credentials(status.bot_token, status.bot_id, base_url, status.user_id)
        await self._store(credentials)
        raise _Ended

    async def _store(self, credentials: Credentials) -> None:
        """A token handed out is never dropped: try until the database takes it."""
        backoff = self.new_backoff()
        while True:
            try:
                await self.run_in_database_thread(attempts.confirm, self.attempt_id, credentials)
            except Exception:
                logger.exception("login %s: credentials not stored yet", self.attempt_id)
                await asyncio.sleep(backoff.failed())
            else:
                return


def trouble_of(error: ILinkError) -> tuple[str, str]:
    """(reason code, detail) of a call that failed, for `reasons.sentence`."""
    match error:
        case GatewayError():
            return "http", str(error.status)
        case NotSentError():
            return "unreachable", ""
        case UnreadableAnswerError():
            return "unreadable", ""
        case RefusedError():
            return "refused", (error.errmsg or f"code {error.wire_code}")[:400]
    return "line_broken", ""


def _attempt(attempt_id: str) -> LoginAttempt | None:
    return LoginAttempt.objects.filter(pk=attempt_id).first()


def _local_tokens(attempt_id: str) -> list[str]:
    return attempts.local_tokens(LoginAttempt.objects.get(pk=attempt_id))
