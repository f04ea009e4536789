"""The times offered for snoozing, in the reader's time zone. No queries.

“One hour” is 3,600 seconds even if the clocks change; “Tomorrow” is a local time.
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
    """`until` is in UTC. `warnings`: why the user must confirm the choice."""

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
    """Choices in ascending order. The evening is offered only if it is far enough away."""
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
    """Parse an ISO time, by default in the reader's time zone. None if it is not a time."""
    found = read(text)
    return found[0].until if found else None


def read(text: str) -> list[SnoozeChoice]:
    """The meanings of a typed time: one, two in the hour that the clocks repeat, or none.

    A time that the clocks skip or repeat has a warning.
    """
    try:
        wanted = datetime.fromisoformat(text.strip())
        # Databases and time zones cannot handle years far from now.
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
    """Add warnings for the reply windows that close before each choice.

    `closings`: when the open windows close, earliest first; `count`: number of all selected
    conversations.
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
