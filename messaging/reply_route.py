"""What a reply may be: its route (`sessions_app.routing`), length, and why WeChat refused; pure.

The routing rule itself lives one room below, where the Python API uses it too.
"""

from datetime import datetime

from sessions_app.ilink.wire import MAX_TEXT_BYTES
from sessions_app.routing import OVERRIDABLE, Candidate, Route, find_route
from sessions_app.team_settings import TeamSettings

__all__ = [
    "OVERRIDABLE",
    "Candidate",
    "Route",
    "find_route",
    "likely_cause",
    "text_problem",
]


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
    """What our own figures say of a -2 whose message explains nothing; "no_reason" if nothing."""
    if text_problem(text) == "text_too_long":
        return "text_too_long"
    if closes_at is not None and now >= closes_at:
        return "window_closed"
    if used_before >= limits.replies_per_token:
        return "quota_exhausted"
    if recent_sends >= limits.pace_count:
        return "too_fast"
    return "no_reason"
