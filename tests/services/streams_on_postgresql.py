"""Streams where transactions really run side by side. Run by `test_on_postgresql` in a child.

An auto-increment id would fail here: 101 may be visible before 100.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction

from sessions_app.models import Session, Team
from sessions_app.realtime.streams import advance, announcing, numbers_of
from sessions_app.sessions.services import touch
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 10.0
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class Changing(threading.Thread):
    """Touches one session in a transaction that goes on step by step, as the test says."""

    def __init__(self, session: Session) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.has_begun, self.may_close = threading.Event(), threading.Event()
        self.has_advanced, self.may_commit = threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            with transaction.atomic():
                Session.objects.filter(pk=self.session.pk).update(error_detail="changed")
                self.has_begun.set()
                assert self.may_close.wait(WAIT_S)
                with announcing() as change:
                    touch(change, self.session)
                self.has_advanced.set()
                assert self.may_commit.wait(WAIT_S)
        finally:
            connections.close_all()

    def begin(self) -> None:
        self.start()
        assert self.has_begun.wait(WAIT_S)

    def advance(self) -> None:
        self.may_close.set()
        assert self.has_advanced.wait(WAIT_S)

    def commit(self) -> None:
        self.may_commit.set()
        self.join(WAIT_S)
        assert not self.is_alive()


@pytest.fixture
def sessions(seeded: Team) -> tuple[Session, Session]:
    return make_session("first"), make_session("second")


class Reader:
    """A page: it keeps the last number it has seen and asks what changed since."""

    def __init__(self, team: Team) -> None:
        self.key = f"team:{team.pk}"
        self.number = numbers_of([self.key])[self.key]
        self.seen: list[tuple[str, int]] = []

    def ask(self) -> None:
        number = numbers_of([self.key])[self.key]
        rows = Session.objects.filter(version__gt=self.number).order_by("version")
        self.seen += [(row.name, row.version) for row in rows]
        self.number = number


@contextmanager
def _reader(team: Team) -> Iterator[Reader]:
    assert connection.vendor == "postgresql"
    reader = Reader(team)
    yield reader
    reader.ask()


def test_commits_in_reverse_order_of_their_beginning_lose_nothing(
    seeded: Team, sessions: tuple[Session, Session]
) -> None:
    first, second = Changing(sessions[0]), Changing(sessions[1])
    with _reader(seeded) as reader:
        start = reader.number
        first.begin()
        second.begin()
        second.advance()
        second.commit()
        reader.ask()
        assert reader.seen == [("second", start + 1)]
        first.advance()
        first.commit()
    assert reader.seen == [("second", start + 1), ("first", start + 2)]


def test_the_second_to_take_a_number_waits_for_the_first_to_commit(
    seeded: Team, sessions: tuple[Session, Session]
) -> None:
    first, second = Changing(sessions[0]), Changing(sessions[1])
    with _reader(seeded) as reader:
        start = reader.number
        first.begin()
        second.begin()
        first.advance()
        second.may_close.set()
        _until_somebody_waits()
        assert not second.has_advanced.is_set()
        reader.ask()
        assert reader.seen == []
        assert reader.number == start
        first.commit()
        assert second.has_advanced.wait(WAIT_S)
        reader.ask()
        assert reader.seen == [("first", start + 1)]
        second.commit()
    assert reader.seen == [("first", start + 1), ("second", start + 2)]


def test_a_rollback_leaves_no_gap(seeded: Team) -> None:
    before = advance("test")
    with transaction.atomic():
        assert advance("test", 5) == before + 5
        transaction.set_rollback(True)
    assert advance("test") == before + 1


def test_a_stream_that_two_begin_at_once_counts_both(seeded: Team) -> None:
    numbers: list[int] = []

    def count() -> None:
        try:
            with transaction.atomic():
                numbers.append(advance("born twice"))
        finally:
            connections.close_all()

    both = [threading.Thread(target=count) for _ in range(8)]
    for each in both:
        each.start()
    for each in both:
        each.join(WAIT_S)
    assert sorted(numbers) == list(range(1, 9))


def _until_somebody_waits() -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("nobody waits for a lock")
