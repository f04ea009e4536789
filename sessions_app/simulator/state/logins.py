"""The life of a QR code, from drawn to confirmed.

Refusing on the phone makes the code `expired`, not `wait` again. This is the safer reading: nobody
who photographed a refused code can use it, and every client must handle `expired` anyway, while no
client is known to handle a status that goes backwards.

This module does not bind accounts; `SimulatedWeChat` does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sessions_app.simulator.errors import NotNowError, UnknownThingError
from sessions_app.simulator.state.bells import Bell
from sessions_app.simulator.state.clock import Clock
from sessions_app.simulator.state.switches import Switches

HELD_TOKENS_LIMIT = 10
KEPT_LOGINS = 5_000


class LoginStatus(StrEnum):
    """The values of get_qrcode_status ("scaned" is WeChat's own spelling)."""

    WAIT = "wait"
    SCANED = "scaned"
    NEED_VERIFYCODE = "need_verifycode"
    VERIFY_CODE_BLOCKED = "verify_code_blocked"
    EXPIRED = "expired"
    SCANED_BUT_REDIRECT = "scaned_but_redirect"
    BINDED_REDIRECT = "binded_redirect"
    CONFIRMED = "confirmed"

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = {
    LoginStatus.VERIFY_CODE_BLOCKED,
    LoginStatus.EXPIRED,
    LoginStatus.BINDED_REDIRECT,
    LoginStatus.CONFIRMED,
}


@dataclass(slots=True)
class Login:
    handle: str
    created_at: float
    held_tokens: tuple[str, ...] = ()
    status: LoginStatus = LoginStatus.WAIT
    told: LoginStatus = LoginStatus.WAIT
    """The last status answered. A poll is held until it changes."""
    account_id: str = ""
    digits: str = ""
    """The digits on the phone. Empty if none are asked for."""
    wrong_codes: int = 0
    redirect_to: str | None = None
    """host:port for further polls. "": the host of the request. None: no redirect."""
    redirected: bool = False
    bot_id: str = ""
    bot_token: str = ""
    bell: Bell = field(default_factory=Bell)


class Logins:
    """All QR codes by handle, oldest first."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._by_handle: dict[str, Login] = {}

    def __iter__(self) -> Iterator[Login]:
        return iter(self._by_handle.values())

    def draw(self, held_tokens: list[str]) -> Login:
        tokens = tuple(held_tokens[:HELD_TOKENS_LIMIT])
        login = Login(secrets.token_hex(16), self._clock.now(), tokens)
        self._by_handle[login.handle] = login
        if len(self._by_handle) > KEPT_LOGINS:
            self._by_handle.pop(next(iter(self._by_handle)))
        return login

    def find(self, handle: str) -> Login | None:
        """The login with its status updated to the current time."""
        login = self._by_handle.get(handle)
        if login is not None:
            self._expire_if_due(login)
        return login

    def get(self, handle: str) -> Login:
        login = self.find(handle)
        if login is None:
            raise UnknownThingError("no such QR code")
        return login

    def seconds_left(self, login: Login) -> float:
        return login.created_at + self._switches.qr_lifetime_s - self._clock.now()

    def scan(
        self, login: Login, account_id: str, *, ask_code: bool, redirect_to: str | None
    ) -> None:
        self._require_status(login, LoginStatus.WAIT)
        login.account_id = account_id
        login.redirect_to = redirect_to
        if ask_code:
            login.digits = f"{secrets.randbelow(1_000_000):06d}"
        self._set_status(login, LoginStatus.NEED_VERIFYCODE if ask_code else LoginStatus.SCANED)

    def already_bound(self, login: Login, account_id: str) -> None:
        """The account's bot is one that the client holds, so nothing changes."""
        self._require_status(login, LoginStatus.WAIT)
        login.account_id = account_id
        self._set_status(login, LoginStatus.BINDED_REDIRECT)

    def type_code(self, login: Login, code: str) -> bool:
        """Check the digits sent with a status poll. Returns False if none were asked for."""
        if login.status is not LoginStatus.NEED_VERIFYCODE:
            return False
        if secrets.compare_digest(code.encode(), login.digits.encode()):
            self._set_status(login, LoginStatus.SCANED)
            return True
        login.wrong_codes += 1
        if login.wrong_codes >= self._switches.verify_code_tries:
            self._set_status(login, LoginStatus.VERIFY_CODE_BLOCKED)
        return True

    def may_confirm(self, login: Login) -> None:
        self._require_status(login, LoginStatus.SCANED)

    def confirmed(self, login: Login, bot_id: str, bot_token: str) -> None:
        login.bot_id, login.bot_token = bot_id, bot_token
        self._set_status(login, LoginStatus.CONFIRMED)

    def refuse(self, login: Login) -> None:
        self._require_status(login, LoginStatus.SCANED, LoginStatus.NEED_VERIFYCODE)
        self._set_status(login, LoginStatus.EXPIRED)

    def expire(self, login: Login) -> None:
        if not login.status.is_final:
            self._set_status(login, LoginStatus.EXPIRED)

    def word_for(self, login: Login, host: str) -> LoginStatus:
        """The status for a poll at `host`, or the word for a redirect."""
        if login.redirect_to is None or login.status not in (
            LoginStatus.SCANED,
            LoginStatus.CONFIRMED,
        ):
            return login.status
        if login.redirected and login.redirect_to in ("", host):
            return login.status
        return LoginStatus.SCANED_BUT_REDIRECT

    def _expire_if_due(self, login: Login) -> None:
        if self.seconds_left(login) <= 0:
            self.expire(login)

    def _set_status(self, login: Login, status: LoginStatus) -> None:
        login.status = status
        login.bell.ring()

    def _require_status(self, login: Login, *wanted: LoginStatus) -> None:
        if login.status not in wanted:
            raise NotNowError(f"this QR code is {login.status}, not {' or '.join(wanted)}")
