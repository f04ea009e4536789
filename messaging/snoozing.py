"""Until when: the times offered for snoozing, in the reader's own zone. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.templatetags.console import until_text

MORNING = time(9, 0)
EVENING = time(18, 0)
SOON = timedelta(hours=1)
LATER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class SnoozeChoice:
    words: str
    until: datetime

    @property
    def value(self) -> str:
        return self.until.isoformat()

    @property
    def when(self) -> str:
        return until_text(self.until)


def choices(now: datetime) -> list[SnoozeChoice]:
    """Each later than the one before; the evening only while it is still far."""
    local = timezone.localtime(now).replace(second=0, microsecond=0)
    found = [
        SnoozeChoice(_("One hour"), local + SOON),
        SnoozeChoice(_("Three hours"), local + LATER),
    ]
    evening = datetime.combine(local.date(), EVENING, local.tzinfo)
    if evening > local + LATER:
        found.append(SnoozeChoice(_("This evening"), evening))
    tomorrow = local.date() + timedelta(days=1)
    monday = local.date() + timedelta(days=7 - local.weekday())
    found.append(SnoozeChoice(_("Tomorrow"), datetime.combine(tomorrow, MORNING, local.tzinfo)))
    if monday != tomorrow:
        found.append(
            SnoozeChoice(_("Next Monday"), datetime.combine(monday, MORNING, local.tzinfo))
        )
    return sorted(found, key=lambda one: one.until)


def parse(text: str) -> datetime | None:
    """An ISO time; without a zone it is meant in the reader's. None for what is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = timezone.make_aware(moment)
        # What no database and no clock can hold is no time either.
        return moment if 2000 < moment.year < 9000 else None
    except (ValueError, OverflowError):
        return None
