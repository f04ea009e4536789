"""What limits a reply: its route (`sessions_app.sessions.routing`), its length, and why WeChat
refused it. No queries.

The routing rule is in `sessions_app`, because the Python API uses it, too.
"""

from collections.abc import Sequence
from datetime import datetime

from sessions_app.ilink.wire import MAX_TEXT_BYTES
from sessions_app.sessions.routing import OVERRIDABLE, Candidate, Route, find_route
from sessions_app.team_settings.limits import TeamSettings

__all__ = [
    "OVERRIDABLE",
    "STOOD_IN_FOR",
    "Candidate",
    "Route",
    "find_route",
    "likely_cause",
    "speaker",
    "text_problem",
]

# These accounts cannot send at all; if another one can, the Send button names that one.
STOOD_IN_FOR = frozenset({"session_offline", "no_context"})


def speaker(route: Route, candidates: Sequence[Candidate]) -> Candidate | None:
    """The account on the Send button: the route's, or the first that can stand in for it."""
    if route.code in STOOD_IN_FOR and route.offer:
        return next(one for one in candidates if one.name == route.offer[0])
    return route.chosen


def text_problem(text: str) -> str:
    """ "empty", "text_too_long" (UTF-8 bytes), or ""."""
    if not text.strip():
        return "empty"
    if len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        return "text_too_long"
    return ""


def likely_cause(
    *,
    text: str,
    used_before: int,
    closes_at: datetime | None,
    recent_sends: int,
    now: datetime,
    limits: TeamSettings,
) -> str:
    """The cause of a -2 without explanation, as our own figures suggest; else "no_reason"."""
    if text_problem(text) == "text_too_long":
        return "text_too_long"
    if closes_at is not None and now >= closes_at:
        return "window_closed"
    if used_before >= limits.replies_per_token:
        return "quota_exhausted"
    if recent_sends >= limits.pace_count:
        return "too_fast"
    return "no_reason"
