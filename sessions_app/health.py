"""How a session is, from evidence: what is stored of it, and when WeChat was last heard.

The one place that decides it. Board, counts, rail, admin and API ask here and never look at
`Session.state` alone: nobody writes anything down when a worker dies. Pure: no query.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_app.models import Session, SessionState

SILENT_AFTER_S = 90
NOT_HEARD = "not_heard"

RECEIVING_STATES = (SessionState.CONNECTED, SessionState.POLLED_ELSEWHERE)
NEEDY_STATES = (SessionState.EXPIRED, SessionState.FAILING)
COLUMNS = (
    "state", "state_since", "bound_at", "last_poll_at", "error_code", "error_detail",
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


def health_of(session: Session, *, now: datetime) -> Health:
    """What the session does now; whoever was not heard for 90 s does not receive."""
    state = SessionState(session.state)
    heard_at = _heard_at(session, state)
    if heard_at is not None and now - heard_at > timedelta(seconds=SILENT_AFTER_S):
        return Health(SessionState.FAILING, NOT_HEARD)
    return Health(state, session.error_code, session.error_detail)


def _heard_at(session: Session, state: SessionState) -> datetime | None:
    """When WeChat last showed that it answers; None: this state promises nothing."""
    if state is SessionState.CONNECTED:
        return session.last_poll_at or session.bound_at or session.state_since
    if state is SessionState.CONNECTING:  # it was told to begin then, whatever was heard before
        return session.state_since
    return None
