"""What a poll loop polls: a session in the state in which it found it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sessions_app.models import Session


@dataclass(frozen=True, slots=True)
class Binding:
    """A session as it was bound when polling began.

    `lease_number`: under which lease. What is written about the session's state with an older
    number than the row's is refused. None: polled without a lease.
    """

    session_id: int
    generation: int
    cursor: str
    hold_ms: int
    lease_number: int | None = None

    @classmethod
    def of(cls, session: Session) -> Self:
        return cls(
            session.pk, session.generation, session.cursor, session.hold_ms, session.lease_number
        )

    @property
    def current(self) -> dict[str, Any]:
        """The condition on the session's row under which this poll loop may change its state."""
        is_current: dict[str, Any] = {"pk": self.session_id, "generation": self.generation}
        if self.lease_number is not None:
            is_current["lease_number"] = self.lease_number
        return is_current

    def holds(self, session: Session) -> bool:
        """The same of a row that was read already."""
        is_leased = self.lease_number in (None, session.lease_number)
        return is_leased and self.generation == session.generation


@dataclass(frozen=True, slots=True)
class Heard:
    """The last good poll of a loop, until it is written: when, and where the next one goes on.

    `stored_cursor`: what the session's row holds; if it holds another cursor by now, that stays.
    """

    at: datetime
    cursor: str
    stored_cursor: str
    hold_ms: int
