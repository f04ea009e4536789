"""Health from evidence: what was not heard for 90 s looks connected nowhere; counts agree."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from messaging.receiving import doubts, poll_notes
from messaging.receiving.binding import Binding
from sessions_app.board import queries
from sessions_app.models import Session, SessionEvent, SessionState, User
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import services
from sessions_app.sessions.health import SILENT_AFTER_S, health_of
from tests.api.callers import calling
from tests.conftest import Cast, Running, until
from tests.messaging.builders import make_session

JUST = timedelta(seconds=SILENT_AFTER_S - 5)
TOO_LONG = timedelta(seconds=SILENT_AFTER_S + 5)
WORDS = "WeChat has not answered for more than 90 seconds"


def silent(name: str = "Shop A", *, state: str = "connected") -> Session:
    """A session that should be polled and was last heard 95 s ago."""
    session, then = make_session(name), timezone.now() - TOO_LONG
    Session.objects.filter(pk=session.pk).update(
        state=state, state_since=then, bound_at=then, last_poll_at=then
    )
    return Session.objects.get(pk=session.pk)


def seen(user: User, page: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(page)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def binding(session: Session) -> Binding:
    return Binding(session.pk, session.generation, "", 35_000)


# The rule

CASES = [
    ("connected", JUST, "connected"),
    ("connected", TOO_LONG, "failing"),
    ("connecting", JUST, "connecting"),
    ("connecting", TOO_LONG, "failing"),
    ("failing", JUST, "failing"),
    ("failing", TOO_LONG, "failing"),
    ("paused", TOO_LONG, "paused"),
    ("expired", TOO_LONG, "expired"),
    ("logged_out", TOO_LONG, "logged_out"),
    ("polled_elsewhere", TOO_LONG, "polled_elsewhere"),
]


@pytest.mark.parametrize(("stored", "age", "shown"), CASES, ids=lambda value: str(value))
def test_only_what_should_be_polled_can_be_silent(stored: str, age: timedelta, shown: str) -> None:
    now = timezone.now()
    session = Session(
        state=stored, state_since=now - age, bound_at=now - age, last_poll_at=now - age
    )
    assert health_of(session, now=now).state == shown


def test_one_that_was_told_to_go_on_has_90_seconds_from_then() -> None:
    now = timezone.now()
    session = Session(state="connecting", state_since=now - JUST, last_poll_at=now - 9 * TOO_LONG)
    assert health_of(session, now=now).state == "connecting"


def test_one_that_was_never_polled_is_measured_from_its_scan() -> None:
    now = timezone.now()
    session = Session(state="connected", bound_at=now - TOO_LONG, last_poll_at=None)
    assert health_of(session, now=now).is_silent


# Every door


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["connected", "connecting"])
def test_on_every_door_it_looks_like_what_it_is(cast: Cast, state: str) -> None:
    session = silent(state=state)
    board = seen(cast.operator, "/sessions/")
    row = board[board.index(f'id="session-{session.pk}"') :].partition("</tr>")[0]
    page = seen(cast.operator, "/sessions/Shop%20A/")
    for shown in (row, page):
        assert "not heard" in shown
        assert WORDS in shown
        assert 'class="dot warn"' in shown
        assert 'class="dot ok"' not in shown
    tiles = re.findall(r"<dt>\s*([^<]*?)\s*</dt>\s*<dd>(\d+)</dd>", board)[:2]
    assert tiles == [("receiving", "0"), ("needs you", "1")]
    assert '<span class="offline warn">not heard</span>' in seen(cast.agent, "/inbox/")

    ask = calling(cast.operator)
    listed = ask.get("/sessions").body["items"][0]
    assert (listed["state"], listed["last_error"]) == ("failing", WORDS)
    status = ask.get("/status").body
    assert (status["is_connected"], status["connected_count"]) == (False, 0)
    assert status["session_count"] == 1

    User.objects.filter(pk=cast.administrator.pk).update(is_staff=True, is_superuser=True)
    assert "not heard" in seen(cast.administrator, "/admin/sessions_app/session/")


@pytest.mark.django_db
def test_an_open_page_learns_it_from_what_it_fetches_anyway(cast: Cast) -> None:
    session = silent()
    assert "not heard" in seen(cast.operator, "/sessions/-/changes/")
    assert "not heard" in seen(
        cast.operator, f"/sessions/-/changes/?since=team:{cast.team.pk}:999&open={session.pk}"
    )


@pytest.mark.django_db
def test_counts_are_what_the_rows_show(cast: Cast) -> None:
    for state in SessionState:
        make = make_session(f"young {state}")
        Session.objects.filter(pk=make.pk).update(state=state)
        silent(f"old {state}", state=state)
    rows, tiles = queries.board(cast.operator), queries.board_tiles(cast.operator)
    tones = [row.tone for row in rows]
    assert tiles.receiving == tones.count("ok") == queries.receiving_count(cast.operator) == 3
    assert tiles.needs_you == sum(row.health.needs_somebody for row in rows)
    ask = calling(cast.operator)
    states = [one["state"] for one in ask.get("/sessions").body["items"]]
    receiving = [one for one in states if one in {"connected", "polled_elsewhere"}]
    assert ask.get("/status").body["connected_count"] == len(receiving) == 3
    troubled = [one.trouble for one in queries.rail_accounts(cast.operator, limit=99)]
    assert troubled.count("") == tones.count("ok") + 3  # connecting and twice paused


# Events

Step = Callable[[Session, User], object]


def _expire(session: Session, _user: User) -> None:
    with announcing() as change:
        doubts.expire(change, session.pk, session.generation)


def _fail(session: Session, _user: User) -> None:
    for failures in (1, 2, 3):
        poll_notes.failed_poll(
            binding(session), failures=failures, code="http", detail="502", next_at=timezone.now()
        )


STEPS: dict[str, tuple[Step, str, str, bool]] = {
    "paused by a person": (
        lambda one, user: services.set_paused(session=one, paused=True, user=user),
        "paused", "", True,
    ),
    "logged out by a person": (
        lambda one, user: services.log_out(session=one, user=user), "logged_out", "", True,
    ),
    "signed out by WeChat": (_expire, "expired", "signed_out", False),
    "three failures": (_fail, "failing", "http", False),
    "blocked": (
        lambda one, _: poll_notes.blocked(binding(one), code="sealed", detail=""),
        "failing", "sealed", False,
    ),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", STEPS)
def test_a_change_of_state_is_one_event_with_time_who_and_why(cast: Cast, name: str) -> None:
    step, state, code, by_person = STEPS[name]
    session, before = make_session(), timezone.now()
    step(session, cast.operator)
    session.refresh_from_db()
    event = session.events.get(kind=SessionEvent.Kind.STATE)
    assert (session.state, event.state, event.code) == (state, state, code)
    assert event.who == (cast.operator if by_person else None)
    assert before <= event.at <= timezone.now()
    line = next(one for one in queries.session_events(session) if one.at == event.at)
    assert line.who == (cast.operator.display_name if by_person else "")


@pytest.mark.django_db
def test_silence_is_an_event_and_so_is_its_end(cast: Cast) -> None:
    session = silent()
    poll_notes.settle(session.pk, session.generation)
    poll_notes.settle(session.pk, session.generation)
    poll_notes.good_polls({binding(session): timezone.now()})
    events = session.events.filter(kind=SessionEvent.Kind.STATE).order_by("pk")
    assert [(one.state, one.code) for one in events] == [
        ("failing", "not_heard"), ("connected", ""),
    ]  # fmt: skip
    with translation.override("en"):
        assert queries.session_events(session)[1].sentence == f"backing off: {WORDS}"


@pytest.mark.django_db
def test_what_was_heard_meanwhile_is_not_called_silent(cast: Cast) -> None:
    session = make_session()
    poll_notes.settle(session.pk, session.generation)
    session.refresh_from_db()
    assert session.state == "connected"


async def test_the_worker_writes_the_silence_down_while_the_poll_still_hangs(
    running: Running,
) -> None:
    session = await running.scan("Shop A")
    running.control.add_fault("slow", path="/ilink/bot/getupdates", times=None, delay_s=60.0)
    await until(lambda: running.control.faults()[0]["hits"], "a poll that nobody answers")
    await until(
        lambda: not running.worker.polls.heard, "good polls given to the worker's database thread"
    )
    rows, then = Session.objects.filter(pk=session.pk), timezone.now() - TOO_LONG
    await running.worker.run_in_database_thread(
        rows.update, last_poll_at=then
    )  # after them: its database thread is one
    (loop,) = running.worker.polls._loops.values()
    real = loop.poller.clock
    loop.poller.clock = lambda: real() + TOO_LONG.total_seconds()
    await until(
        lambda: Session.objects.filter(pk=session.pk, error_code="not_heard").exists(), "noted"
    )
    events = session.events.filter(kind=SessionEvent.Kind.STATE).order_by("pk")
    states = [one.state async for one in events]
    assert states == ["connecting", "connected", "failing"]
