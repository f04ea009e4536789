"""Decides which session may reply to a person: reply window, reply quota and route. Pure.

The rules are the contract's "Routing": a reply goes through the session with the person's newest
context token. If that token is not usable, nothing is sent and the other usable sessions are
offered, newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_app.ilink.wire import REPLIES_PER_TOKEN, WINDOW_HOURS

WINDOW = timedelta(hours=WINDOW_HOURS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One session's context with the person. `received_at`: their last message to it.

    `window` and `limit` are the team's settings, or WeChat's values by default.
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
        """Why this context cannot carry `cost` more replies now, or "" if it can."""
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
    """The chosen context.

    If it is refused, `code` is the reason and `offer` lists the alternatives.
    """

    chosen: Candidate | None
    code: str
    offer: list[str]


# The console computes these limits itself, so a person may override them. The other refusals are
# final.
OVERRIDABLE = frozenset({"window_closed", "quota_exhausted"})


def find_route(
    candidates: Sequence[Candidate],
    *,
    now: datetime,
    session_name: str | None = None,
    override: bool = False,
    cost: int = 1,
) -> Route:
    """Choose the session for a reply. A session that was named is never replaced by another."""
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
