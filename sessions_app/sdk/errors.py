"""Errors of the Python API beside those of `ilink.errors` and `filestore.errors`.

ILinkError
├── NotLoggedInError      no session has credentials (a RuntimeError too, as old code expects)
├── LoginFailedError      a QR login ended without credentials
└── WindowClosedError     the 24 hours after the person's last message are over (.offer)
"""

from sessions_app.ilink.errors import SESSION_EXPIRED, ILinkError, SessionExpiredError


class NotLoggedInError(ILinkError, RuntimeError):
    code = "not_logged_in"

    def __init__(self, message: str = "No session is logged in. Call login() first.") -> None:
        super().__init__(message)


class LoginFailedError(ILinkError):
    code = "login_failed"


class WindowClosedError(ILinkError):
    """WeChat drops replies after 24 hours without an error; `offer` names usable sessions."""

    code = "window_closed"

    def __init__(self, offer: tuple[str, ...] = ()) -> None:
        super().__init__("More than 24 hours have passed since this person's last message.")
        self.offer = offer


class SessionOfflineError(SessionExpiredError):
    """The session of the person's newest message is signed out; `offer` names usable ones."""

    code = "session_offline"

    def __init__(self, offer: tuple[str, ...] = ()) -> None:
        super().__init__(SESSION_EXPIRED)
        self.offer = offer
