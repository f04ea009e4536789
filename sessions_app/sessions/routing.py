"""Which session may answer a person: window, count and route. Pure; the contract's "Routing".

A reply goes through the session that holds the person's newest context token, usable or not. If
that one is not usable nothing is sent and the usable others are offered, newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_app.ilink.wire import REPLIES_PER_TOKEN, WINDOW_HOURS

WINDOW = timedelta(hours=WINDOW_HOURS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One session's context with the person. `received_at`: their last message to it.

    `window` and `limit`: the team's settings, where there are any.
    """

    session_id: int
    name: str
    may_send: bool
    has_token: bool
    received_at: datetime
    replies_used: int
    window: timedelta = WINDOW
    limit: int = REPLIES_PER_TOKEN

    def closes_at(self) -> datetime:
        return self.received_at + self.window

    def replies_left(self) -> int:
        return max(0, self.limit - self.replies_used)

    def refusal(self, now: datetime, *, cost: int = 1) -> str:
        """Why this context cannot carry `cost` more replies now; "" when it can."""
        if not self.has_token:
            return "no_context"
        if not self.may_send:
            return "session_offline"
        if now >= self.closes_at():
            return "window_closed"
        if self.replies_left() < cost:
            return "quota_exhausted"
        return ""


@dataclass(frozen=True, slots=True)
class Route:
    """The chosen context, or the refusal with what could be chosen instead."""

    chosen: Candidate | None
    code: str
    offer: list[str]


# Ours to count, so ours to override; the others cannot be argued with.
OVERRIDABLE = frozenset({"window_closed", "quota_exhausted"})


def find_route(
    candidates: Sequence[Candidate],
    *,
    now: datetime,
    session_name: str | None = None,
    override: bool = False,
    cost: int = 1,
) -> Route:
    """Route a reply. A named session is taken or refused, never replaced."""
    newest_first = sorted(candidates, key=lambda one: one.received_at, reverse=True)
    wanted = [one for one in newest_first if session_name in (None, one.name)]
    if not wanted:
        return Route(None, "no_context", _usable(newest_first, now, cost))
    chosen = wanted[0]
    code = chosen.refusal(now, cost=cost)
    if override and code in OVERRIDABLE:
        code = ""
    others = [one for one in newest_first if one is not chosen]
    return Route(chosen, code, _usable(others, now, cost) if code else [])


def _usable(candidates: Sequence[Candidate], now: datetime, cost: int) -> list[str]:
    return [one.name for one in candidates if not one.refusal(now, cost=cost)]
