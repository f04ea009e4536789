"""What is wrong outside: errors of database, Redis and disk, told apart and put into one sentence.

Commands end with such a sentence instead of a traceback, the log says it once a minute, and
`/readyz` names it. An error that is none of these is a bug, and shown as one.
"""

import errno
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import psycopg
import psycopg_pool
import redis


class Part(StrEnum):
    """What the console stands on; the value begins sentences about it."""

    DATABASE = "The database"
    REDIS = "Redis"
    DISK = "The disk"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`reason`: a few words, without secrets. `advice`: what to do about it.

    `may_pass`: an outage, which ends by itself or by somebody's doing elsewhere.
    """

    part: Part
    reason: str
    advice: str
    may_pass: bool = True

    @property
    def sentence(self) -> str:
        return f"{self.reason}; {self.advice}."


FULL = (errno.ENOSPC, errno.EDQUOT)
LOCKED_UP = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR)
_CANNOT_CONNECT = ("08", "28", "3D", "53", "57P")
"""Beginnings of SQLSTATE: connection, password, no such database, no room, shut down."""
_NO_TABLES = ("42P01", "42703")
_SQLITE_DISK = {
    "database or disk is full": "The disk of the database is full",
    "attempt to write a readonly database": "The database cannot be written",
    "unable to open database file": "The database file cannot be opened",
    "disk I/O error": "The disk of the database gives errors",
}


def trouble_of(error: BaseException) -> Trouble | None:
    """The trouble behind an error, or None when it is an error of ours."""
    for one in _chain(error):
        found = _of_disk(one) or _of_redis(one) or _of_database(one)
        if found is not None:
            return found
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; a group stands for what it holds."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*getattr(one, "exceptions", ()), one.__cause__, one.__context__]


def _of_disk(error: BaseException) -> Trouble | None:
    if isinstance(error, sqlite3.OperationalError):
        for words, reason in _SQLITE_DISK.items():
            if words in str(error):
                return Trouble(Part.DISK, reason, "make room, or let this user write there")
    if not isinstance(error, OSError) or error.errno not in (*FULL, *LOCKED_UP):
        return None
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in FULL:
        return Trouble(Part.DISK, f"The disk is full{place}", "make room on it")
    reason = f"A file or folder cannot be used{place}: {error.strerror}"
    advice = "name another one, or let this user write there"
    return Trouble(Part.DISK, reason, advice, may_pass=False)


def _of_redis(error: BaseException) -> Trouble | None:
    if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return None
    reason = f"Redis does not answer ({_in_one_line(error)})"
    return Trouble(Part.REDIS, reason, "check REDIS_URL and that Redis runs")


def _of_database(error: BaseException) -> Trouble | None:
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg_pool.PoolClosed):
        return _no_database(error)
    if _is_broken_line(error):
        return _no_database(error)
    if _lacks_tables(error):
        reason = "The database has no tables yet, or those of another release"
        return Trouble(Part.DATABASE, reason, "run `python manage.py migrate`", may_pass=False)
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        reason = "The file that DATABASE_URL names is no database"
        return Trouble(Part.DATABASE, reason, "name another one", may_pass=False)
    if isinstance(error, psycopg.ProgrammingError) and "connection option" in str(error):
        return _no_database(error)
    return None


def _is_broken_line(error: BaseException) -> bool:
    """Errors of a query have a SQLSTATE, those of a broken line have none."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_CANNOT_CONNECT)


def _no_database(error: BaseException) -> Trouble:
    reason = f"The database does not answer ({_in_one_line(error)})"
    return Trouble(Part.DATABASE, reason, "check DATABASE_URL and that the server runs")


def _lacks_tables(error: BaseException) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(("no such table", "no such column"))
    return isinstance(error, psycopg.Error) and error.sqlstate in _NO_TABLES


def _in_one_line(error: BaseException) -> str:
    """The first line says what failed; it may name users and hosts, never passwords."""
    words = str(error).strip().partition("\n")[0].strip() or type(error).__name__
    return words.removesuffix(".")[:200]
