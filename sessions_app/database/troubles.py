"""Recognises errors of database, Redis and disk, and describes each in one sentence.

Commands end with this sentence instead of a traceback, the log repeats it once a minute, and
`/readyz` names it. All other errors are bugs and are shown as such.
"""

import errno
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg
import psycopg_pool
import redis

IS_CHECKOUT = (Path(__file__).resolve().parents[2] / "manage.py").is_file()
MANAGE = "python manage.py" if IS_CHECKOUT else "weilink-console"
"""What people type before a command's name: in a checkout, or installed from a wheel."""


class Part(StrEnum):
    """The parts that the console depends on. The value begins sentences about the part."""

    DATABASE = "The database"
    REDIS = "Redis"
    DISK = "The disk"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem. `reason`: a few words, without secrets. `advice`: what to do about it.

    `may_pass`: an outage, which may end without a change here.
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
"""Prefixes of SQLSTATE: connection, password, no such database, no resources, shutdown."""
_NO_TABLES = ("42P01", "42703")
_SQLITE_DISK = {
    "database or disk is full": "The disk of the database is full",
    "attempt to write a readonly database": "The database cannot be written",
    "unable to open database file": "The database file cannot be opened",
    "disk I/O error": "The disk of the database gives errors",
}
_DAMAGED = "database disk image is malformed"


def trouble_of(error: BaseException) -> Trouble | None:
    """The problem behind an error, or None if the error is a bug of ours."""
    for one in _chain(error):
        found = _disk_trouble(one) or _redis_trouble(one) or _database_trouble(one)
        if found is not None:
            return found
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes. A group is replaced by its members."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*getattr(one, "exceptions", ()), one.__cause__, one.__context__]


def _disk_trouble(error: BaseException) -> Trouble | None:
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


def _redis_trouble(error: BaseException) -> Trouble | None:
    if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return None
    reason = f"Redis does not answer ({_in_one_line(error)})"
    return Trouble(Part.REDIS, reason, "check REDIS_URL and that Redis runs")


def _database_trouble(error: BaseException) -> Trouble | None:
    if isinstance(error, psycopg_pool.PoolTimeout | psycopg_pool.PoolClosed):
        return _no_database(error)
    if _is_broken_connection(error):
        return _no_database(error)
    if _lacks_tables(error):
        reason = "The database has no tables yet, or those of another release"
        return Trouble(Part.DATABASE, reason, f"run `{MANAGE} migrate`", may_pass=False)
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        reason = "The file that DATABASE_URL names is no database"
        return Trouble(Part.DATABASE, reason, "name another one", may_pass=False)
    if isinstance(error, sqlite3.DatabaseError) and _DAMAGED in str(error):
        advice = f"stop the console, keep the file, and restore a backup (`{MANAGE} restore`)"
        return Trouble(Part.DATABASE, "The database file is damaged", advice, may_pass=False)
    if isinstance(error, psycopg.ProgrammingError) and "connection option" in str(error):
        return _no_database(error)
    return None


def _is_broken_connection(error: BaseException) -> bool:
    """Errors of a query have a SQLSTATE; those of a broken connection have none."""
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
    """The first line, which says what failed. It may contain users and hosts, but no passwords."""
    words = str(error).strip().partition("\n")[0].strip() or type(error).__name__
    return words.removesuffix(".")[:200]
