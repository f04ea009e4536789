"""Errors of the Python API, in addition to `ilink.errors` and `folder.store.errors`.

ILinkError
├── NotLoggedInError      no session has credentials (also a RuntimeError, for old code)
├── LoginFailedError      a QR login ended without credentials
├── NothingToSendError    there is neither a text nor a file
├── NoContextError        the person never wrote to the session that should reply (.offer)
└── WindowClosedError     the reply window of the person's last message is over (.offer)
"""

from sessions_app.ilink.errors import SESSION_EXPIRED, ILinkError, SessionExpiredError
from sessions_app.ilink.wire import WINDOW_HOURS


class NotLoggedInError(ILinkError, RuntimeError):
    code = "not_logged_in"

    def __init__(self, message: str = "No session is logged in. Call login() first.") -> None:
        super().__init__(message)


class LoginFailedError(ILinkError):
    code = "login_failed"


class NothingToSendError(ILinkError):
    code = "empty"

    def __init__(self) -> None:
        super().__init__("There is nothing to send: give a text or a file.")


class NoContextError(ILinkError):
    """WeChat lets bots reply only. `offer` names the sessions that the person wrote to.

    `session`: the one that was requested. `unread`: sessions whose contexts file is broken.
    """

    code = "no_context"

    def __init__(
        self, session: str | None, offer: tuple[str, ...] = (), unread: tuple[str, ...] = ()
    ) -> None:
        place = f" to “{session}”" if session else ""
        words = f"This person has not written{place} yet. WeChat only lets bots answer."
        if unread:
            names = ", ".join(f"“{one}”" for one in unread)
            words = f"Nothing is known of this person{place}: contexts.json of {names} is broken."
        super().__init__(words)
        self.offer = offer


class WindowClosedError(ILinkError):
    """WeChat drops replies after `WINDOW_HOURS` without an error. `offer` names usable sessions."""

    code = "window_closed"

    def __init__(self, offer: tuple[str, ...] = ()) -> None:
        words = f"More than {WINDOW_HOURS} hours have passed since this person's last message."
        super().__init__(words)
        self.offer = offer


class SessionOfflineError(SessionExpiredError):
    """The session of the person's newest message is signed out. `offer` names usable ones."""

    code = "session_offline"

    def __init__(self, name: str, offer: tuple[str, ...] = ()) -> None:
        super().__init__(SESSION_EXPIRED)
        self.args = (f"“{name}” is signed out by WeChat; only a new login helps.",)
        self.offer = offer
