"""Builds the rows of the board, including the action each row offers.

Pure: no query, no request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sessions_app.board.queries import SessionRow
from sessions_app.models import Session, SessionState
from sessions_app.sessions.day import Day

_ACTIONS = {
    SessionState.EXPIRED: "scan",
    SessionState.LOGGED_OUT: "scan",
    SessionState.PAUSED: "resume",
}
_POLLED = (SessionState.CONNECTED, SessionState.CONNECTING)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A SessionRow with the action its row offers. `action`: scan, resume or open."""

    session: Session
    state_label: str
    tone: str
    because: str
    owner: str
    last_message_at: datetime | None
    last_contact: str
    day: Day | None
    action: str
    polled: bool
    next_try_at: datetime | None


def board_row(row: SessionRow) -> BoardRow:
    state = row.health.state
    backs_off = state is SessionState.FAILING and not row.health.is_silent
    return BoardRow(
        session=row.session,
        state_label=row.state_label,
        tone=row.tone,
        because=row.because,
        owner=row.owner,
        last_message_at=row.last_message_at,
        last_contact=row.last_contact,
        day=row.day,
        action=_ACTIONS.get(state, "open"),
        polled=state in _POLLED or row.health.is_silent,
        next_try_at=row.session.next_poll_at if backs_off else None,
    )


def board_rows(rows: Iterable[SessionRow]) -> list[BoardRow]:
    return [board_row(row) for row in rows]
