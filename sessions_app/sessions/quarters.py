"""Records polling results per quarter of an hour, the source of the 24-hour bars.

A successful poll causes at most one write per session and quarter. An error is written in the
transaction that records the failure anyway. Pages read these rows through `day`.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db.models import F

from sessions_app.models import POLLED_STATES, QuarterHour, Session

QUARTER = timedelta(minutes=15)
KEPT = timedelta(hours=25)


def quarter_of(moment: datetime) -> datetime:
    """The start of the quarter of an hour, in UTC.

    All time zones in use today share these quarters.
    """
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def note_heard(session_ids: Collection[int], at: datetime) -> None:
    """Record that WeChat answered these sessions' polls. If already recorded this is one read."""
    began_at = quarter_of(at)
    noted = QuarterHour.objects.filter(began_at=began_at, session__in=session_ids, heard=True)
    fresh = set(session_ids) - set(noted.values_list("session_id", flat=True))
    if not fresh:
        return
    polled = Session.objects.filter(pk__in=fresh, state__in=POLLED_STATES)
    QuarterHour.objects.bulk_create(
        [
            QuarterHour(session_id=pk, began_at=began_at, heard=True)
            for pk in polled.values_list("pk", flat=True)
        ],
        update_conflicts=True,
        unique_fields=["session", "began_at"],
        update_fields=["heard"],
    )
    QuarterHour.objects.filter(began_at__lt=began_at - KEPT).delete()


def note_error(session_id: int, at: datetime) -> None:
    """Count one more failed poll, inside the transaction that records the failure."""
    rows = QuarterHour.objects.filter(session=session_id, began_at=quarter_of(at))
    if not rows.update(errors=F("errors") + 1):
        fresh = QuarterHour(session_id=session_id, began_at=quarter_of(at))
        QuarterHour.objects.bulk_create([fresh], ignore_conflicts=True)
        rows.update(errors=F("errors") + 1)
