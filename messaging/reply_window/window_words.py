"""What is left of a reply window, in the one form that every place shares. Pure.

Row, head, composer and context say the same words for the same window at the same moment;
`static/js/page/clock.js` goes on with them.
"""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

COARSE_FROM = timedelta(hours=3)
"""From here on only whole hours are shown."""


def until_words(closes_at: datetime) -> str:
    """“Tue 14:32”."""
    return date_format(timezone.localtime(closes_at), pgettext("closing time", "D H:i"))


def left_words(left: timedelta) -> str:
    """“21 h”, “2 h 40 min”, “42 min”: rounded down."""
    seconds = int(left.total_seconds())
    if seconds <= 0:
        return _("closed")
    if seconds < 60:
        return _("less than a minute")
    hours, minutes = divmod(seconds // 60, 60)
    if left >= COARSE_FROM:
        return _("%(hours)d h") % {"hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}
