"""What a poll loop polls: a session in the state in which it found it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Binding:
    """A session as it was bound when polling began."""

    session_id: int
    generation: int
    cursor: str
    hold_ms: int
