"""What pages and the API say of a session whose replies WeChat limits. Pure: no query.

Who judges it and lets the replies go again is `messaging.delivering.throttle`.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sessions_app.models import Session


def notice(session: Session | None, *, now: datetime) -> str:
    """One sentence without a full stop; "" while the session's replies flow."""
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
