"""How a session is, from evidence: what was asked for, and what WeChat was last heard to say.

The one place that decides it. Board, counts, rail, admin and API ask here and never look at
`Session.state` alone, and whoever writes a polled state asks here too (`poll_notes.settle`): the
column holds what was asked and decided (paused, logged out, expired, received elsewhere), and
which of connecting, connected and failing it was when somebody last wrote it down. Nobody writes
anything when a worker dies, nor when two changes fall between two looks of one. Pure: no query.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_app.models import POLLED_STATES, Session, SessionState
from sessions_app.models.shared_folder import FOLDER_CODES

SILENT_AFTER_S = 90
GATEWAY_PATIENCE_S = 180
"""A gateway that gives up is no answer of WeChat; nothing else for so long is a failure."""
FAILING_FROM = 3
"""Failed polls in a row."""
CLOCKS_DIFFER = timedelta(seconds=1)
"""Of the host that wrote the state and of the one that polls."""
NOT_HEARD = "not_heard"
GATEWAY = "http"
GATEWAY_FOR = "http_for"
UNPOLLABLE_CODES = (*FOLDER_CODES, "sealed", "unsafe_host")
"""Reasons for which a session is not polled at all: nothing that was heard before undoes them."""

RECEIVING_STATES = (SessionState.CONNECTED, SessionState.POLLED_ELSEWHERE)
MAY_RECEIVE = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
"""Stored states whose evidence may say that the session receives."""
NEEDY_STATES = (SessionState.EXPIRED, SessionState.FAILING)
COLUMNS = (
    "state", "state_since", "bound_at", "last_poll_at", "failed_at", "errors_in_row",
    "error_code", "error_detail",
)  # fmt: skip
"""What of a row the decision needs, for `only()`."""


@dataclass(frozen=True, slots=True)
class Health:
    """`code`, `detail`: why, for `reasons.sentence`; empty where nothing is wrong."""

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
        """It should be polled, and no poll was answered for `SILENT_AFTER_S`."""
        return self.code == NOT_HEARD


def health_of(session: Session, *, now: datetime, patience_s: float = GATEWAY_PATIENCE_S) -> Health:
    """What the session does now, whatever was written last and in which order."""
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
    failed_at = session.failed_at if session.failed_at and session.failed_at > since else None
    in_vain_s = (now - since).total_seconds()
    if failed_at and (session.errors_in_row >= FAILING_FROM or in_vain_s > patience_s):
        return Health(SessionState.FAILING, *_reason(session, since, now))
    if now - (failed_at or since) > timedelta(seconds=SILENT_AFTER_S):
        return Health(SessionState.FAILING, NOT_HEARD)
    shown = SessionState.CONNECTED if heard_at else SessionState.CONNECTING
    return Health(shown, code, detail) if failed_at else Health(shown)


def _heard_at(session: Session, state: SessionState) -> datetime | None:
    """When WeChat last answered a poll, if that is news since the state was written."""
    heard_at = session.last_poll_at
    if state is SessionState.CONNECTED:
        return heard_at or session.bound_at or session.state_since
    # Told to begin then, or failing since then: what was heard before says nothing.
    if heard_at is None or heard_at <= session.state_since + CLOCKS_DIFFER:
        return None
    if state is SessionState.FAILING and not session.failed_at and session.error_code != NOT_HEARD:
        return None  # written with a reason that no poll has taken back
    return heard_at


def _reason(session: Session, since: datetime | None, now: datetime) -> tuple[str, str]:
    """(code, detail); a gateway's refusals say for how long there was nothing else."""
    minutes = int((now - since).total_seconds() // 60) if since is not None else 0
    if session.error_code != GATEWAY or not minutes:
        return session.error_code, session.error_detail
    return GATEWAY_FOR, f"{session.error_detail} {minutes}"
