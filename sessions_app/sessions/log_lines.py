"""Log lines about sessions and logins that somebody may have to act on.

They name the session, are in English, are written after the commit, and contain no token and no
message text.
"""

import logging

from django.db import transaction
from django.utils import translation

from sessions_app.models import LoginAttempt, LoginState, Session, SessionState, User
from sessions_app.sessions import reasons

logger = logging.getLogger(__name__)

_LOUD_STATES = (SessionState.EXPIRED, SessionState.FAILING)
_LOUD_LOGINS = (LoginState.FAILED, LoginState.ALREADY_CONNECTED, LoginState.OTHER_ACCOUNT)


def say_state(
    session: Session, state: SessionState, *, code: str, detail: str, who: User | None
) -> None:
    """Log a session's new state. Called where the state is written."""
    level = logging.WARNING if state in _LOUD_STATES else logging.INFO
    by = f" by {who.get_username()}" if who is not None else ""
    _log_on_commit(level, f"session “{session.name}” is {state.value}{by}{_because(code, detail)}")


def say_login(attempt: LoginAttempt) -> None:
    """Log how a login ended, or that another WeChat account than expected scanned."""
    state = LoginState(attempt.status)
    level = logging.WARNING if state in _LOUD_LOGINS else logging.INFO
    because = _because(attempt.error_code, attempt.error_detail)
    _log_on_commit(level, f"login of session “{attempt.session_name}” is {state.value}{because}")


def _because(code: str, detail: str) -> str:
    with translation.override("en"):
        reason = reasons.sentence(code, detail)
    return f": {' '.join(reason.split())}" if reason else ""


def _log_on_commit(level: int, line: str) -> None:
    transaction.on_commit(lambda: logger.log(level, "%s", line))
