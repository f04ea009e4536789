"""What the log says while database, Redis or disk are away, and what it leaves out."""

import errno
import logging
import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
import redis
from django.db import OperationalError

from sessions_app.database.troubles import Part, trouble_of
from weilink_site.host import outages
from weilink_site.host.outages import Look, OutageFilter


class Log:
    """A handler with the filter, a clock of the test's, and what came through."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.looks: list[Look] = []
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        handler.addFilter(OutageFilter(lambda: self.now, self.looks.append))
        self.handler = handler
        self.logger = logging.getLogger("somewhere")

    def fail(self, error: Exception, words: str = "a loop failed") -> None:
        try:
            raise error
        except Exception:
            self.logger.exception(words)


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    for name in ("somewhere", outages.logger.name):
        logging.getLogger(name).addHandler(made.handler)
        logging.getLogger(name).propagate = False
    yield made
    for name in ("somewhere", outages.logger.name):
        logging.getLogger(name).removeHandler(made.handler)
        logging.getLogger(name).propagate = True


def test_an_outage_is_one_line_then_one_a_minute_and_one_at_its_end(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = redis.ConnectionError("Connection refused")
    is_away = True

    def ping() -> None:
        if is_away:
            raise probed

    monkeypatch.setattr(outages, "ask_redis", ping)
    log.handler.filters = [OutageFilter(lambda: log.now, log.looks.append)]
    for second in range(150):
        log.now = float(second)
        for _ in range(50):
            log.fail(redis.ConnectionError("Connection refused"))
        assert not log.looks[0]()
    assert [line.partition(" (")[0] for line in log.lines] == ["Redis does not answer"] * 3
    assert "check REDIS_URL" in log.lines[0]
    assert "for 60 s now" in log.lines[1]
    is_away = False
    assert log.looks[0]()
    assert log.lines[3:] == ["Redis works again, after 149 s."]
    assert len(log.looks) == 1


def test_what_comes_and_goes_is_said_once_a_minute_too(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "ask_redis", lambda: None)
    log.handler.filters = [OutageFilter(lambda: log.now, log.looks.append)]
    for second in range(60):
        log.now = float(second)
        log.fail(redis.TimeoutError("Timeout connecting"))
        log.looks[-1]()
    assert len(log.lines) == 2


def test_an_error_of_ours_is_shown_as_it_is(log: Log) -> None:
    log.fail(ValueError("a bug"), "a bug was met")
    log.fail(OperationalError("database is locked"), "a lock was met")
    log.logger.error("a plain line")
    assert log.lines == ["a bug was met", "a lock was met", "a plain line"]
    assert log.looks == []


def _wrapped(error: Exception) -> Exception:
    """As Django hands errors on: with the driver's as its cause."""
    wrapped = OperationalError(*error.args)
    wrapped.__cause__ = error
    return wrapped


class _NoRoom(psycopg.OperationalError):
    sqlstate = "53300"


class _Deadlock(psycopg.OperationalError):
    sqlstate = "40P01"


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (_wrapped(psycopg.OperationalError("connection refused")), Part.DATABASE),
        (_wrapped(_NoRoom("too many clients")), Part.DATABASE),
        (ExceptionGroup("tasks", [redis.ConnectionError("gone")]), Part.REDIS),
        (OSError(errno.ENOSPC, "No space left on device"), Part.DISK),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Part.DISK),
        (_wrapped(sqlite3.OperationalError("database or disk is full")), Part.DISK),
        (_wrapped(sqlite3.DatabaseError("database disk image is malformed")), Part.DATABASE),
        (_wrapped(sqlite3.OperationalError("database is locked")), None),
        (_wrapped(_Deadlock("deadlock detected")), None),
        (ConnectionResetError(errno.ECONNRESET, "reset"), None),
        (KeyError("x"), None),
    ],
)
def test_trouble_outside_is_told_from_errors_of_ours(error: Exception, part: Part | None) -> None:
    found = trouble_of(error)
    assert (found.part if found else None) == part
