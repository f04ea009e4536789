"""Log lines about sessions and logins that somebody may have to act on.

They name the session (by its id in JSON), are in English, are written after the commit, and
contain no token and no message text.
"""

import logging

from django.db import transaction
from django.utils import translation

from sessions_app.models import (
    FINAL_LOGIN_STATES,
    LoginAttempt,
    LoginState,
    Session,
    SessionState,
    User,
)
from sessions_app.monitoring import meters
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
    _log_on_commit(
        level,
        f"session “{session.name}” is {state.value}{by}{_because(code, detail)}",
        f"session {session.pk} is {state.value}",
        session_id=session.pk,
        state=state.value,
        code=code,
    )


def say_login(attempt: LoginAttempt) -> None:
    """Log and count how a login ended, or that another WeChat account than expected scanned."""
    state = LoginState(attempt.status)
    level = logging.WARNING if state in _LOUD_LOGINS else logging.INFO
    because = _because(attempt.error_code, attempt.error_detail)
    _log_on_commit(
        level,
        f"login of session “{attempt.session_name}” is {state.value}{because}",
        f"login of session {attempt.session_id or 'that is new'} is {state.value}",
        state=state.value,
        code=attempt.error_code,
    )
    if level == logging.WARNING or state in FINAL_LOGIN_STATES:
        transaction.on_commit(meters.LOGINS.labels(state.value).inc)


def _because(code: str, detail: str) -> str:
    with translation.override("en"):
        reason = reasons.sentence(code, detail)
    return f": {' '.join(reason.split())}" if reason else ""


def _log_on_commit(level: int, line: str, ids_only: str, **fields: object) -> None:
    """`ids_only`: the sentence without names, which JSON takes."""
    extra = {"ids_only": ids_only, **fields}
    transaction.on_commit(lambda: logger.log(level, "%s", line, extra=extra))
