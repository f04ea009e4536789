"""Computes a session's current state from evidence: its stored state and WeChat's last answers.

This is the only place that decides it. The board, counts, rail, admin and API call `health_of` and
never read `Session.state` alone; so does whoever writes a polled state. The column stores decisions
(paused, logged out, expired, received elsewhere) and the last known choice among connecting,
connected and failing. The column alone is not enough: nobody updates it when a worker dies, or when
two changes happen between two reads. Pure: no query.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_app.models import POLLED_STATES, Session, SessionState
from sessions_app.models.shared_folder import FOLDER_CODES

SILENT_AFTER_S = 90
GATEWAY_PATIENCE_S = 180
"""An HTTP error of a gateway is not an answer of WeChat.

After this many seconds with nothing else the session is failing.
"""
FAILING_FROM = 3
"""Number of failed polls in a row after which a session is failing."""
CLOCKS_DIFFER = timedelta(seconds=1)
"""Tolerated clock difference between the host that wrote the state and the host that polls."""
NOT_HEARD = "not_heard"
GATEWAY = "http"
GATEWAY_FOR = "http_for"
UNPOLLABLE_CODES = (*FOLDER_CODES, "sealed", "unsafe_host")
"""Reasons for which a session is not polled at all.

An earlier answer of WeChat does not undo them.
"""

RECEIVING_STATES = (SessionState.CONNECTED, SessionState.POLLED_ELSEWHERE)
MAY_RECEIVE = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
"""Stored states from which the evidence may show that the session receives."""
NEEDY_STATES = (SessionState.EXPIRED, SessionState.FAILING)
COLUMNS = (
    "state", "state_since", "bound_at", "last_poll_at", "failed_at", "errors_in_row",
    "error_code", "error_detail",
)  # fmt: skip
"""The columns that the decision needs, for `only()`."""


@dataclass(frozen=True, slots=True)
class Health:
    """A session's current state. `code` and `detail` give the reason, for `reasons.sentence`.

    Both are empty when nothing is wrong.
    """

    state: SessionState
    code: str = ""
    detail: str = ""

    @property
    def is_receiving(self) -> bool:
        return self.state in RECEIVING_STATES

    @property
    def needs_somebody(self) -> bool:
        return self.state in NEEDY_STATES

    @property
    def is_silent(self) -> bool:
        """Whether the session should be polled but no poll was answered for `SILENT_AFTER_S`."""
        return self.code == NOT_HEARD


def health_of(session: Session, *, now: datetime, patience_s: float = GATEWAY_PATIENCE_S) -> Health:
    """The session's state at `now`, regardless of which change was written last."""
    state = SessionState(session.state)
    code, detail = session.error_code, session.error_detail
    if state not in POLLED_STATES:
        return Health(state, code, detail)
    if code in UNPOLLABLE_CODES:
        return Health(SessionState.FAILING, code, detail)
    heard_at = _heard_at(session, state)
    if heard_at is None and state is SessionState.FAILING:
        return Health(state, *_reason(session, session.last_poll_at, now))
    since = heard_at or session.state_since
    failed_at = session.failed_at if _failed_after(session, since, now) else None
    in_vain_s = (now - since).total_seconds()
    if failed_at and (session.errors_in_row >= FAILING_FROM or in_vain_s > patience_s):
        return Health(SessionState.FAILING, *_reason(session, since, now))
    if now - (failed_at or since) > timedelta(seconds=SILENT_AFTER_S):
        return Health(SessionState.FAILING, NOT_HEARD)
    shown = SessionState.CONNECTED if heard_at else SessionState.CONNECTING
    return Health(shown, code, detail) if failed_at else Health(shown)


def _failed_after(session: Session, since: datetime, now: datetime) -> bool:
    """Whether the last news is a failed poll.

    If `since` is still to come, this host's clock was set back, and only the count can tell: the
    first good poll resets it.
    """
    if session.failed_at is None:
        return False
    return session.failed_at > since or (since > now + CLOCKS_DIFFER and session.errors_in_row > 0)


def _heard_at(session: Session, state: SessionState) -> datetime | None:
    """When WeChat last answered a poll, or None if that was before the state was written."""
    heard_at = session.last_poll_at
    if state is SessionState.CONNECTED:
        return heard_at or session.bound_at or session.state_since
    # The session started connecting or failing at `state_since`; an earlier answer proves nothing.
    if heard_at is None or heard_at <= session.state_since + CLOCKS_DIFFER:
        return None
    if state is SessionState.FAILING and not session.failed_at and session.error_code != NOT_HEARD:
        return None  # the reason was set by something other than polling and still holds
    return heard_at


def _reason(session: Session, since: datetime | None, now: datetime) -> tuple[str, str]:
    """(code, detail). For gateway errors the detail includes how many minutes they have lasted."""
    minutes = int((now - since).total_seconds() // 60) if since is not None else 0
    if session.error_code != GATEWAY or not minutes:
        return session.error_code, session.error_detail
    return GATEWAY_FOR, f"{session.error_detail} {minutes}"
