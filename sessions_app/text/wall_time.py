"""Times on the wall: which instant a day and a clock time mean in a zone. Pure; all results in UTC.

Never add a timedelta to a local datetime, and never compare two of one zone: Python then counts on
the wall clock and loses the hour that a change of summer time adds or takes away.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo


def at_clock(day: date, clock: time, zone: tzinfo) -> datetime:
    """The instant. A time that the day skips moves on by what is skipped; of two it is the first.

    So 02:30 in the night when the clocks go from 02:00 to 03:00 is 03:30.
    """
    return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins there; later than 00:00 where the clocks go forward at midnight."""
    return at_clock(day, time.min, zone)


@dataclass(frozen=True, slots=True)
class ClockTime:
    """`second`: the same time on the wall once more; None on all but one night of the year.

    `is_skipped`: the clocks go forward over the wanted time; `first` shows another one.
    """

    first: datetime
    second: datetime | None
    is_skipped: bool


def read_clock(wanted: datetime, zone: tzinfo) -> ClockTime:
    """What a naive datetime means in the zone."""
    first = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    is_skipped = first.astimezone(zone).replace(tzinfo=None) != wanted.replace(fold=0)
    twice = second > first and not is_skipped
    return ClockTime(first, second if twice else None, is_skipped)


def comes_twice(local: datetime) -> bool:
    """Whether the wall shows this time once more, or showed it before, in the same night."""
    wall = local.replace(tzinfo=None, fold=0)
    return local.tzinfo is not None and read_clock(wall, local.tzinfo).second is not None
