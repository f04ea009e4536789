"""The notice shown while WeChat throttles a session's replies. Pure: no query.

Pages and the API show it. `throttle` in `messaging` decides when replies are held and when they go
out again.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sessions_app.models import Session


def notice(session: Session | None, *, now: datetime) -> str:
    """One sentence without a full stop, or "" when the session's replies are not held."""
    if session is None or session.throttled_until is None:
        return ""
    at = date_format(timezone.localtime(max(session.throttled_until, now)), "H:i")
    if session.throttle_words:
        words = {"words": session.throttle_words, "time": at}
        return (
            _("WeChat says: %(words)s. Replies are on hold; one will be tried at %(time)s") % words
        )
    return _(
        "WeChat is refusing replies to several people. "
        "Replies are on hold; one will be tried at %(time)s"
    ) % {"time": at}
