"""The last 24 hours as bars and in words, and the notes that they are drawn from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from messaging.receiving import poll_notes
from messaging.receiving.binding import Binding
from sessions_app.models import QuarterHour, Session, SessionState
from sessions_app.sessions import day, quarters
from tests.conftest import Cast
from tests.messaging.builders import heard, make_session

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 4, 12, 7, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


def binding(session: Session) -> Binding:
    return Binding(session.pk, session.generation, "", 35_000)


def noted(session: Session, *quarters_back: int, errors: int = 0) -> None:
    for back in quarters_back:
        began = quarters.quarter_of(NOON) - back * quarters.QUARTER
        QuarterHour.objects.create(session=session, began_at=began, heard=not errors, errors=errors)


def day_at_noon(session: Session) -> day.Day:
    return day.days_of([session], now=NOON)[session.pk]


def test_good_polls_of_a_quarter_are_written_once(
    shop: Session, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    poll_notes.write_good_polls(heard(binding(shop), NOON))
    # last_poll_at (PostgreSQL locks the rows before), the look for a state that must follow, and
    # the look that finds it noted
    with django_assert_max_num_queries(4):
        poll_notes.write_good_polls(heard(binding(shop), NOON + timedelta(minutes=5)))
    poll_notes.write_good_polls(heard(binding(shop), NOON + timedelta(minutes=8)))
    notes = QuarterHour.objects.values_list("began_at", "heard", "errors").order_by("began_at")
    quarter = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    assert list(notes) == [(quarter, True, 0), (quarter + quarters.QUARTER, True, 0)]


def test_failed_polls_are_counted_beside_good_ones(shop: Session) -> None:
    now = timezone.now()
    poll_notes.good_polls({binding(shop): now})
    for failures in (1, 2):
        poll_notes.failed_poll(
            binding(shop), failures=failures, code="http", detail="502", next_at=now
        )
    assert sum(QuarterHour.objects.values_list("errors", flat=True)) == 2


def test_notes_are_forgotten_after_a_day(shop: Session) -> None:
    noted(shop, 0, 90, 101, 300)
    quarters.note_heard([shop.pk], NOON + quarters.QUARTER)
    assert QuarterHour.objects.count() == 3


def test_a_poll_of_a_session_that_is_gone_notes_nothing(shop: Session) -> None:
    Session.objects.update(state=SessionState.LOGGED_OUT)
    quarters.note_heard([shop.pk, 999_999], NOON)
    assert not QuarterHour.objects.exists()


def test_the_bars_say_received_errors_signed_out_and_not_polled(shop: Session) -> None:
    noted(shop, 0, 1, 2)
    noted(shop, 4, errors=3)
    shop.events.create(kind="state", state="expired", at=NOON - timedelta(hours=3))
    shop.events.create(kind="state", state="connecting", at=NOON - timedelta(hours=2))
    shown = day_at_noon(shop)
    assert len(shown.bars) == 96
    tones = "".join(bar.tone[0] for bar in shown.bars[-14:])
    assert tones == "ibbbbbiiiwiooo"
    assert "11:00–11:15: 3 errors" in shown.words
    assert "signed out by WeChat" in shown.words
    assert shown.oddities[0] == "11:15–11:30: not receiving"
    assert "not receiving" in shown.words


def test_a_session_that_is_signed_out_is_so_until_now(shop: Session) -> None:
    Session.objects.update(state=SessionState.EXPIRED, state_since=NOON - timedelta(days=3))
    shop.refresh_from_db()
    assert {bar.tone for bar in day_at_noon(shop).bars} == {day.Tone.BAD}
    assert day_at_noon(shop).words == "Last 24 hours: signed out by WeChat"


def test_each_tone_has_a_height_of_its_own(shop: Session) -> None:
    noted(shop, 0)
    noted(shop, 1, errors=1)
    strokes = dict(day_at_noon(shop).paths)
    heights = {tone: path.split("v")[1].split("h")[0] for tone, path in strokes.items()}
    assert len(set(heights.values())) == len(heights) == 3


def test_half_as_many_bars_show_the_worse_quarter_of_two(shop: Session) -> None:
    noted(shop, 0)
    noted(shop, 1, errors=2)
    pairs = day_at_noon(shop).in_pairs()
    assert len(pairs.bars) == 48
    assert (pairs.bars[-1].tone, pairs.bars[-1].errors) == (day.Tone.WARN, 2)


def test_board_and_page_say_the_bars_in_words(cast: Cast, shop: Session) -> None:
    poll_notes.failed_poll(
        binding(shop), failures=1, code="http", detail="502", next_at=timezone.now()
    )
    client = Client()
    client.force_login(cast.viewer)
    for page in ("/sessions/", "/sessions/Shop%20A/"):
        shown = client.get(page).content.decode()
        assert "1 error" in shown
        assert 'aria-label="Last 24 hours' in shown
