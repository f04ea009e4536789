"""Log lines about sessions and logins, with the session's name: what somebody may have to mend.

Each is written after the commit, in English, and holds no token and nothing that people wrote.
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
    """A session's new state, called where it is written down."""
    level = logging.WARNING if state in _LOUD_STATES else logging.INFO
    by = f" by {who.get_username()}" if who is not None else ""
    _say(level, f"session “{session.name}” is {state.value}{by}{_because(code, detail)}")


def say_login(attempt: LoginAttempt) -> None:
    """How a scan ended, or that it brought another WeChat account than expected."""
    state = LoginState(attempt.status)
    level = logging.WARNING if state in _LOUD_LOGINS else logging.INFO
    because = _because(attempt.error_code, attempt.error_detail)
    _say(level, f"login of session “{attempt.session_name}” is {state.value}{because}")


def _because(code: str, detail: str) -> str:
    with translation.override("en"):
        reason = reasons.sentence(code, detail)
    return f": {' '.join(reason.split())}" if reason else ""


def _say(level: int, line: str) -> None:
    transaction.on_commit(lambda: logger.log(level, "%s", line))
