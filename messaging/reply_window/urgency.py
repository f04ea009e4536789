"""How pressing the end of a reply window is: on rows, in the head and over the composer. Pure.

`static/js/page/clock.js` says the same while a page stands open. Change both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

SOON_S = 3_600
NOW_S = 600
NEAR_SHARE = 8
"""A window is near its end in its last eighth: the last 3 of 24 hours, the last 1.5 of 12."""


class Urgency(StrEnum):
    NONE = ""
    SOON = "soon"
    NOW = "now"


def urgency(seconds_left: float) -> Urgency:
    """SOON in the last hour, NOW in the last ten minutes, NONE before and when it is over."""
    if not 0 < seconds_left <= SOON_S:
        return Urgency.NONE
    return Urgency.NOW if seconds_left <= NOW_S else Urgency.SOON


@dataclass(frozen=True, slots=True)
class Closing:
    """A reply window that closes at `at`; `window` is its length as the team has set it."""

    at: datetime
    left: timedelta
    window: timedelta

    @property
    def urgency(self) -> Urgency:
        return urgency(self.left.total_seconds())

    @property
    def is_near(self) -> bool:
        return self.left * NEAR_SHARE < self.window

    @property
    def share(self) -> int:
        """Percent of the window that is left, for a ring."""
        return min(100, max(1, round(self.left * 100 / self.window)))

    @property
    def words(self) -> str:
        """“closes 14:32”: in the last hour a clock time is clearer than a number of hours."""
        at = date_format(timezone.localtime(self.at), "H:i")
        return _("closes %(time)s") % {"time": at}

    @property
    def window_s(self) -> int:
        return int(self.window.total_seconds())

    @property
    def marks(self) -> SafeString:
        """Attributes for css colours and for the page's own countdown."""
        near = SafeString(" data-near") if self.is_near else ""
        pressing = format_html(' data-urgency="{}"', self.urgency) if self.urgency else ""
        return format_html(
            ' data-window-until="{}" data-window-s="{}" data-closes="{}"{}{}',
            int(self.at.timestamp()),
            self.window_s,
            self.words,
            near,
            pressing,
        )
