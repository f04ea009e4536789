"""The numbers that a team sets and what a person prefers, as the thread and the composer read them.

The one seam to wherever they are kept; pure functions get the numbers handed in.
"""

from dataclasses import dataclass
from datetime import timedelta

from sessions_app.ilink.wire import REPLIES_PER_TOKEN, WINDOW_HOURS
from sessions_app.people.roles import Visitor


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """`pace_count` replies to one person in `pace_minutes` are WeChat's limit."""

    window_hours: int = WINDOW_HOURS
    replies_per_token: int = REPLIES_PER_TOKEN
    pace_count: int = 12
    pace_minutes: int = 5
    warn_characters: int = 2_000
    park_days: int = 7

    @property
    def pace_span(self) -> timedelta:
        return timedelta(minutes=self.pace_minutes)

    @property
    def parked_for(self) -> timedelta:
        return timedelta(days=self.park_days)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`send_key`: "enter" or "ctrl_enter"; `undo_s`: 0, 5 or 10; `show_typing`: to the customer."""

    send_key: str = "enter"
    undo_s: int = 0
    show_typing: bool = True


def team_settings() -> TeamSettings:
    return TeamSettings()


def preferences_of(user: Visitor) -> Preferences:
    return Preferences()
