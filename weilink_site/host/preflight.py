"""Preflight: checks whether a process may start. A refusal is one sentence that says what to set.

The checks run before anything is started. They write no rows and register no worker.
"""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from sessions_app.board import queries
from sessions_app.database.troubles import MANAGE, trouble_of
from sessions_app.installation.standing import standing
from sessions_app.models import Installation
from sessions_app.sessions import leases
from weilink_site.host.disk import try_writing
from weilink_site.host.private_files import close_to_others

REDIS_S = 3.0


def of_poller() -> str:
    """The first reason why a poller must not start, or ""."""
    if not settings.REDIS_URL:
        return (
            "The poller needs REDIS_URL (redis://…): without it no page hears of a message. "
            f"On one machine `{MANAGE} console` runs web and worker together."
        )
    return _first(
        private,
        unwritable,
        moved,
        another_host,
        pending_migrations,
        unreadable_tokens,
        silent_redis,
    )


def of_console() -> str:
    """The first reason why a console must not start, or "". Called before the schema is created.

    Unreadable tokens do not stop a console: the board shows which they are.
    """
    return _first(private, unwritable, silent_database, moved, silent_redis)


def of_web() -> str:
    """The first reason why a separate web process must not start, or "". It makes no schema."""
    return _first(private, unwritable, moved, pending_migrations, silent_redis)


def stop_web() -> None:
    """End the process that imports the ASGI application, if it must not start.

    The check runs in a thread, because some servers import in their event loop, where Django does
    not allow queries.
    """
    with ThreadPoolExecutor(1) as thread:
        reason = thread.submit(of_web).result()
    if reason:
        raise SystemExit(reason)


def _first(*checks: Callable[[], str]) -> str:
    try:
        return next((reason for check in checks if (reason := check())), "")
    except (DatabaseError, InterfaceError) as error:
        if (trouble := trouble_of(error)) is not None:
            return trouble.sentence
        raise
    finally:
        connections.close_all()


def private() -> str:
    """Never a reason: closes what others could read."""
    close_to_others()
    return ""


def unwritable() -> str:
    """Check that data and media can be written and that the disk has space."""
    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT):
        try:
            try_writing(Path(folder))
        except OSError as error:
            words = error.strerror or str(error)
            return (
                f"The folder {folder} cannot be written ({words}): let this user write there, "
                "make room, or set DATABASE_URL and WEILINK_MEDIA_ROOT to another place."
            )
    return ""


def silent_database() -> str:
    """Query the database. A problem is raised as an error."""
    connection.introspection.table_names()
    return ""


def moved() -> str:
    """Check that this installation was not copied elsewhere: two must not poll the same bots."""
    if Installation._meta.db_table not in connection.introspection.table_names():
        return ""
    found = standing()
    if found.moved_at is None:
        return ""
    return (
        f"This installation was moved to {found.moved_to} on {found.moved_at:%Y-%m-%d at %H:%M} "
        "UTC and must not receive here as well: start the console there, or, if that copy is "
        f"given up, take this one back with `{MANAGE} copy_database --take-back`."
    )


def pending_migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return ""
    return (
        f"The database lacks {len(plan)} migrations of this release: stop the other processes "
        f"and run `{MANAGE} migrate`."
    )


def silent_redis() -> str:
    if not settings.REDIS_URL:
        return ""
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=REDIS_S, socket_timeout=REDIS_S
        )
        with client:
            client.ping()
    except (redis.RedisError, OSError, TypeError, ValueError) as error:
        words = str(error).partition("\n")[0].removesuffix(".") or type(error).__name__
        return f"Redis does not answer ({words}): check REDIS_URL and that Redis runs."
    return ""


def another_host() -> str:
    """Check that no other host receives for the shared folder: its locks work on one host only."""
    if settings.WEILINK_STORE != "files":
        return ""
    others = leases.other_hosts(besides=socket.gethostname())
    if not others:
        return ""
    return (
        f"Another host ({', '.join(others)}) is alive in this database, and with "
        "WEILINK_STORE=files only one may be: if that was this one under its old name, as after a "
        f"container was made anew, start again in {leases.BEAT_TTL_S:.0f} seconds and give it a "
        "fixed host name; if there are several, set WEILINK_STORE=database on all of them, with "
        "the same SECRET_KEY and WEILINK_CREDENTIAL_KEYS."
    )


def unreadable_tokens() -> str:
    """Check that all stored tokens can be decrypted. Otherwise nobody would poll some sessions."""
    lost, stored = queries.unreadable_tokens()
    if not lost:
        return ""
    return (
        f"The keys here cannot read the tokens of {len(lost)} of {stored} sessions: set "
        "WEILINK_CREDENTIAL_KEYS to the keys that they were stored with, newest first, as in "
        "var/credential_keys of the host that stored them."
    )
