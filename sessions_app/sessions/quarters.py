"""Notes of polling, by quarter of an hour: what the bars of the last 24 hours are drawn from.

Writes at most once per session and quarter for good polls; errors go with the write that they
cause anyway. Reads nothing for pages: see `day`.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db.models import F

from sessions_app.models import POLLED_STATES, QuarterHour, Session

QUARTER = timedelta(minutes=15)
KEPT = timedelta(hours=25)


def quarter_of(moment: datetime) -> datetime:
    """The first moment of its quarter, in UTC: every zone of today shares the quarters."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def note_heard(session_ids: Collection[int], at: datetime) -> None:
    """WeChat answered these sessions' polls. Costs a read when the quarter is noted already."""
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
    """One more failed poll, inside the transaction that records the failure."""
    rows = QuarterHour.objects.filter(session=session_id, began_at=quarter_of(at))
    if not rows.update(errors=F("errors") + 1):
        fresh = QuarterHour(session_id=session_id, began_at=quarter_of(at))
        QuarterHour.objects.bulk_create([fresh], ignore_conflicts=True)
        rows.update(errors=F("errors") + 1)
