"""Until when: the times offered for snoozing, in the reader's own zone. Pure.

“One hour” is 3,600 seconds, whatever the clocks do meanwhile; “Tomorrow” is a time on the wall.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.templatetags.console import clock_or_day, until_text
from sessions_app.text.wall_time import at_clock, read_clock

MORNING = time(9, 0)
EVENING = time(18, 0)
SOON = timedelta(hours=1)
LATER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class SnoozeChoice:
    """`until` is in UTC. `warnings`: why the person has to confirm it."""

    words: str
    until: datetime
    warnings: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        return self.until.isoformat()

    @property
    def when(self) -> str:
        return until_text(self.until)


def choices(now: datetime) -> list[SnoozeChoice]:
    """Each later than the one before; the evening only while it is still far."""
    now, zone = now.astimezone(UTC), timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    found = [
        SnoozeChoice(_("One hour"), now + SOON),
        SnoozeChoice(_("Three hours"), now + LATER),
        SnoozeChoice(_("Tomorrow"), at_clock(tomorrow, MORNING, zone)),
    ]
    evening = at_clock(today, EVENING, zone)
    if evening > now + LATER:
        found.append(SnoozeChoice(_("This evening"), evening))
    if monday != tomorrow:
        found.append(SnoozeChoice(_("Next Monday"), at_clock(monday, MORNING, zone)))
    return sorted(found, key=lambda one: one.until)


def parse(text: str) -> datetime | None:
    """An ISO time; without a zone it is meant in the reader's. None for what is none."""
    found = read(text)
    return found[0].until if found else None


def read(text: str) -> list[SnoozeChoice]:
    """What a typed time may mean: one instant, two in the hour that comes twice, or none.

    With a warning where the clocks skip it, or where the person has to say which of the two.
    """
    try:
        wanted = datetime.fromisoformat(text.strip())
        # What no database and no clock can hold is no time either.
        if not 2000 < wanted.year < 9000:
            return []
        if wanted.tzinfo is not None:
            return [_choice(wanted.astimezone(UTC))]
    except (ValueError, OverflowError):
        return []
    return _on_the_wall(wanted)


def _on_the_wall(wanted: datetime) -> list[SnoozeChoice]:
    meant = read_clock(wanted, timezone.get_current_timezone())
    typed = date_format(wanted, "H:i")
    if meant.is_skipped:
        warning = _("The clocks go forward that night: there is no %(time)s.") % {"time": typed}
        return [_choice(meant.first, warning)]
    if meant.second is None:
        return [_choice(meant.first)]
    warning = _("The clocks go back that night: %(time)s comes twice.") % {"time": typed}
    first, second = _choice(meant.first, warning), _choice(meant.second, warning)
    return [
        replace(first, words=_("%(words)s, the first time") % {"words": first.words}),
        replace(second, words=_("%(words)s, the second time") % {"words": second.words}),
    ]


def _choice(until: datetime, *warnings: str) -> SnoozeChoice:
    words = _("Snooze %(until)s") % {"until": until_text(until)}
    return SnoozeChoice(words, until, warnings)


def warn_of_window(
    found: Sequence[SnoozeChoice], closings: Sequence[datetime], *, count: int
) -> list[SnoozeChoice]:
    """With what each choice costs: the reply windows that close before it.

    `closings`: when the windows still open close, earliest first; `count`: of all conversations
    chosen.
    """
    return [
        replace(one, warnings=(*one.warnings, *_lost(one.until, closings, count))) for one in found
    ]


def _lost(until: datetime, closings: Sequence[datetime], count: int) -> Iterator[str]:
    lost = bisect_right(closings, until)
    if lost and count == 1:
        words = _("after the reply window closes at %(time)s; replies may be dropped")
        yield words % {"time": clock_or_day(closings[0])}
    elif lost:
        words = ngettext(
            "after the reply window of %(lost)d of %(count)d conversations closes; "
            "replies may be dropped",
            "after the reply windows of %(lost)d of %(count)d conversations close; "
            "replies may be dropped",
            lost,
        )
        yield words % {"lost": lost, "count": count}
