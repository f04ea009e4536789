"""How pressing the end of a reply window is: on rows, in the head and over the composer. Pure.

`static/js/clock.js` says the same while a page stands open. Change both.
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
"""A window is near its end in its last eighth: of 24 hours the last three, of 12 the last 1.5."""


class Urgency(StrEnum):
    NONE = ""
    SOON = "soon"
    NOW = "now"


def urgency(seconds_left: float) -> Urgency:
    """The last hour is soon, the last ten minutes are now; what is over presses nobody."""
    if not 0 < seconds_left <= SOON_S:
        return Urgency.NONE
    return Urgency.NOW if seconds_left <= NOW_S else Urgency.SOON


@dataclass(frozen=True, slots=True)
class Closing:
    """A reply window that is open until `at`, of a length that the team has set."""

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
        """What is left of the window in percent, for a ring."""
        return min(100, max(1, round(self.left * 100 / self.window)))

    @property
    def words(self) -> str:
        """“closes 14:32”: an hour before the end the clock says more than a count of hours."""
        at = date_format(timezone.localtime(self.at), "H:i")
        return _("closes %(time)s") % {"time": at}

    @property
    def window_s(self) -> int:
        return int(self.window.total_seconds())

    @property
    def marks(self) -> SafeString:
        """Attributes by which css colours an element and the page goes on counting."""
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
