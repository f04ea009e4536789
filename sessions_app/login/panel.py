"""What the QR login dialog shows at each step. Pure: no query, no request."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from sessions_app.login.attempts import MAX_CODES, UNINVITED
from sessions_app.login.qr_code import qr_svg
from sessions_app.models import LoginAttempt, LoginState
from sessions_app.sessions import reasons


@dataclass(frozen=True, slots=True)
class LoginPanel:
    """One QR login as its dialog shows it.

    `step`: 1 scan, 2 confirm on the phone, 3 connected. `tone`: "", ok, warn or bad. `asks`: "",
    "digits" (to type in) or "account" (another WeChat account scanned). `over`: the icon that
    covers the QR code, "" while the code can be scanned.
    """

    attempt: LoginAttempt
    svg: str
    step: int
    sentence: str
    tone: str
    asks: str
    over: str
    codes: int

    @property
    def scannable(self) -> bool:
        return bool(self.svg) and not self.over

    @property
    def is_last_code(self) -> bool:
        return self.attempt.qr_number >= self.codes

    @property
    def may_start_again(self) -> bool:
        ended = (LoginState.EXPIRED, LoginState.FAILED, LoginState.CANCELLED)
        return self.attempt.status in ended


_DIGITS = (LoginState.VERIFY_CODE_REQUIRED, LoginState.VERIFY_CODE_WRONG)
_STEPS = {
    LoginState.SCANNED: 2,
    LoginState.VERIFY_CODE_REQUIRED: 2,
    LoginState.VERIFY_CODE_WRONG: 2,
    LoginState.OTHER_ACCOUNT: 2,
    LoginState.ALREADY_CONNECTED: 3,
    LoginState.CONFIRMED: 3,
}
_TONES = {
    LoginState.VERIFY_CODE_WRONG: "warn",
    LoginState.VERIFY_CODE_BLOCKED: "warn",
    LoginState.REFRESHED: "warn",
    LoginState.OTHER_ACCOUNT: "warn",
    LoginState.EXPIRED: "bad",
    LoginState.FAILED: "bad",
    LoginState.CONFIRMED: "ok",
    LoginState.ALREADY_CONNECTED: "ok",
}


def login_panel(attempt: LoginAttempt) -> LoginPanel:
    status = LoginState(attempt.status)
    # Digits were entered and WeChat has not answered yet, so the dialog asks for nothing.
    checking = status in (*_DIGITS, LoginState.SCANNED) and bool(attempt.verify_code)
    return LoginPanel(
        attempt=attempt,
        svg="" if attempt.is_final else qr_svg(attempt),
        step=_STEPS.get(status, 1),
        sentence=_("Checking the digits…") if checking else _login_sentence(attempt, status),
        tone="" if checking else _TONES.get(status, ""),
        asks=_asks(status, checking),
        over=_cover_icon(attempt, status),
        codes=MAX_CODES,
    )


def _asks(status: LoginState, checking: bool) -> str:
    if status in _DIGITS and not checking:
        return "digits"
    return "account" if status is LoginState.OTHER_ACCOUNT else ""


def _cover_icon(attempt: LoginAttempt, status: LoginState) -> str:
    """The icon that covers the QR code when it cannot be scanned."""
    if status in (LoginState.CONFIRMED, LoginState.ALREADY_CONNECTED):
        return "check"
    if attempt.is_final and status is not LoginState.OTHER_ACCOUNT:
        return "x"
    return "smartphone" if _STEPS.get(status) == 2 else ""


def _login_sentence(attempt: LoginAttempt, status: LoginState) -> str:
    name = attempt.session_name
    match status:
        case LoginState.WAITING:
            return _waiting_sentence(attempt)
        case LoginState.SCANNED:
            return _("Scanned. Now confirm on the phone.")
        case LoginState.VERIFY_CODE_REQUIRED:
            return _("Type the digits that the phone shows.")
        case LoginState.VERIFY_CODE_WRONG:
            return _("Those digits were wrong. Look at the phone and try again.")
        case LoginState.VERIFY_CODE_BLOCKED:
            return _("Too many wrong digits. This is a new code: scan it again.")
        case LoginState.REFRESHED:
            return _("The last code has expired. This is a new one.")
        case LoginState.EXPIRED:
            return _("Nobody scanned in time. Press “New code” to get another one.")
        case LoginState.ALREADY_CONNECTED:
            return _("This WeChat account is already connected here. Nothing was changed.")
        case LoginState.OTHER_ACCOUNT if attempt.error_code == UNINVITED:
            return _("The invitation had ended when this account was scanned.")
        case LoginState.OTHER_ACCOUNT:
            return _("This is not the WeChat account that “%(name)s” had before.") % {"name": name}
        case LoginState.CONFIRMED:
            return _("“%(name)s” is connected.") % {"name": name}
        case LoginState.CANCELLED if attempt.error_code == UNINVITED:
            return _("Ended: the member who made the invitation may no longer invite.")
        case LoginState.CANCELLED:
            return _("Cancelled. Nothing was changed.")
    reason = reasons.sentence(attempt.error_code, attempt.error_detail)
    return (
        _("Login failed: %(reason)s.") % {"reason": reason}
        if reason
        else _("Login failed. WeChat gave no reason.")
    )


def _waiting_sentence(attempt: LoginAttempt) -> str:
    if attempt.qr_url and attempt.error_code:
        reason = reasons.sentence(attempt.error_code, attempt.error_detail)
        return _("Waiting for the scan, but %(reason)s. Trying again…") % {"reason": reason}
    if attempt.qr_url:
        return _("Waiting for the scan.")
    if attempt.error_code:
        reason = reasons.sentence(attempt.error_code, attempt.error_detail)
        return _("No code yet: %(reason)s. Trying again…") % {"reason": reason}
    return _("Asking WeChat for a code…")
