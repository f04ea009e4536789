"""Until when: an hour is an hour, nine o'clock is nine o'clock, and the two nights of the year."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.conversations import snooze_times
from messaging.conversations.snooze_times import SnoozeChoice
from sessions_app.text.wall_time import at_clock, midnight

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
# Each hour of a year that changes of time fall into, with its neighbours, and odd minutes.
INSTANTS = [BEGINS + timedelta(hours=hours, minutes=hours % 61) for hours in range(0, 8_766, 5)]


def offered(now: datetime, zone: str) -> dict[str, datetime]:
    with timezone.override(ZoneInfo(zone)):
        return {
            str(one.words): datetime.fromisoformat(one.value) for one in snooze_times.choices(now)
        }


@pytest.mark.parametrize("zone", ZONES)
def test_elapsed_times_are_exact_and_wall_times_are_on_the_wall(zone: str) -> None:
    place = ZoneInfo(zone)
    for now in [*INSTANTS, *(_around_changes(place))]:
        found = offered(now, zone)
        local = now.astimezone(place)
        assert found["One hour"] - now == timedelta(hours=1), now
        assert found["Three hours"] - now == timedelta(hours=3), now
        tomorrow = found["Tomorrow"].astimezone(place)
        assert (tomorrow.hour, tomorrow.minute) == (9, 0), now
        assert tomorrow.date() == local.date() + timedelta(days=1), now
        if "This evening" in found:
            evening = found["This evening"].astimezone(place)
            assert (evening.date(), evening.hour) == (local.date(), 18), now
        if "Next Monday" in found:
            monday = found["Next Monday"].astimezone(place)
            assert (monday.weekday(), monday.hour) == (0, 9), now
        assert list(found.values()) == sorted(found.values()), now


def _around_changes(place: ZoneInfo) -> list[datetime]:
    """A few moments before and after every change of the zone's offset in that year."""
    hours = [BEGINS + timedelta(hours=one) for one in range(8_766)]
    offsets = [one.astimezone(place).utcoffset() for one in hours]
    changes = [hours[at] for at in range(1, len(hours)) if offsets[at] != offsets[at - 1]]
    steps = [timedelta(minutes=one) for one in range(-240, 241, 15)]
    return [change + step for change in changes for step in steps]


def test_a_zone_that_changes_its_time_was_among_them() -> None:
    assert len(_around_changes(ZoneInfo("Australia/Lord_Howe"))) == 2 * 33
    assert not _around_changes(ZoneInfo("Asia/Kathmandu"))


def test_the_day_that_samoa_left_out_is_left_out() -> None:
    now = datetime(2011, 12, 29, 20, tzinfo=ZoneInfo("Pacific/Apia"))
    tomorrow = offered(now, "Pacific/Apia")["Tomorrow"].astimezone(ZoneInfo("Pacific/Apia"))
    assert tomorrow.isoformat() == "2011-12-31T09:00:00+14:00"


@pytest.mark.parametrize(
    ("zone", "typed", "meant", "words"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", ["2026-03-29T03:30+02:00"], "there is no 02:30"),
        ("Europe/Berlin", "2026-03-29T03:00", ["2026-03-29T03:00+02:00"], ""),
        (
            "Europe/Berlin",
            "2026-10-25T02:30",
            ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"],
            "02:30 comes twice",
        ),
        ("Europe/Berlin", "2026-10-25T03:00", ["2026-10-25T03:00+01:00"], ""),
        (
            "Australia/Lord_Howe",
            "2026-04-05T01:45",
            ["2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30"],
            "01:45 comes twice",
        ),
        ("Australia/Lord_Howe", "2026-10-04T02:15", ["2026-10-04T02:45+11:00"], "no 02:15"),
        ("Asia/Kathmandu", "2026-10-25T02:30", ["2026-10-25T02:30+05:45"], ""),
        ("Asia/Kathmandu", "2026-10-25T02:30-04:00", ["2026-10-25T02:30-04:00"], ""),
        ("Asia/Kathmandu", "tomorrow", [], ""),
    ],
)
def test_a_typed_time_says_what_it_means(
    zone: str, typed: str, meant: list[str], words: str
) -> None:
    with timezone.override(ZoneInfo(zone)):
        found = snooze_times.read(typed)
    assert [one.until for one in found] == [datetime.fromisoformat(one) for one in meant]
    assert words in " ".join(warning for one in found for warning in one.warnings)
    assert bool(words) == any(one.warnings for one in found)


def test_days_begin_where_the_clocks_skip_or_repeat_midnight() -> None:
    cairo, havana = ZoneInfo("Africa/Cairo"), ZoneInfo("America/Havana")
    assert midnight(date(2026, 4, 24), cairo).astimezone(cairo).hour == 1
    both = midnight(date(2026, 11, 1), havana)
    assert both.astimezone(havana).isoformat() == "2026-11-01T00:00:00-04:00"
    assert at_clock(date(2026, 11, 1), time(0, 0, fold=1), havana) == both


def test_what_a_choice_costs_is_said_of_one_and_counted_of_several() -> None:
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    found = [SnoozeChoice("soon", now), SnoozeChoice("late", now + timedelta(hours=5))]
    closes = [now + timedelta(hours=hours) for hours in (1, 5, 7)]

    def said(closings: list[datetime], count: int) -> list[tuple[str, ...]]:
        return [one.warnings for one in snooze_times.warn_of_window(found, closings, count=count)]

    assert said(closes[:1], 1) == [
        (),
        ("after the reply window closes at Tue 11:00; replies may be dropped",),
    ]
    [nothing, several] = said(closes, 4)
    assert nothing == ()
    assert "windows of 2 of 4 conversations" in several[0]
    assert "window of 1 of 2 conversations" in said(closes[:1], 2)[1][0]
    assert said([], 3) == [(), ()]
