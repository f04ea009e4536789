"""Converts between local clock times and instants. Pure. All results are in UTC.

Never add a timedelta to a local datetime and never compare two of the same zone: Python then
calculates with clock times and ignores changes of summer time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo


def at_clock(day: date, clock: time, zone: tzinfo) -> datetime:
    """The instant of a local clock time.

    A skipped time moves on by the gap; of two instants the first is used. For example, 02:30 in the
    night when clocks go from 02:00 to 03:00 becomes 03:30.
    """
    return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)


def midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins in the zone. Later than 00:00 if the clocks go forward at midnight."""
    return at_clock(day, time.min, zone)


@dataclass(frozen=True, slots=True)
class ClockTime:
    """`second`: the later instant with the same clock time, None except on one night of the year.

    `is_skipped`: the clock time does not exist because the clocks go forward; `first` is a later
    one.
    """

    first: datetime
    second: datetime | None
    is_skipped: bool


def read_clock(wanted: datetime, zone: tzinfo) -> ClockTime:
    """The instant or instants that a naive datetime means in the zone."""
    first = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    is_skipped = first.astimezone(zone).replace(tzinfo=None) != wanted.replace(fold=0)
    twice = second > first and not is_skipped
    return ClockTime(first, second if twice else None, is_skipped)


def comes_twice(local: datetime) -> bool:
    """Whether the clock shows this time twice in the same night."""
    wall = local.replace(tzinfo=None, fold=0)
    return local.tzinfo is not None and read_clock(wall, local.tzinfo).second is not None
