"""The checks of this machine: settings, database, Redis, disk, keys, the session folder.

Each returns its findings and raises nothing that is known to go wrong. None writes to the database.
"""

import fcntl
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections

from sessions_app.board import queries
from sessions_app.database.database_thread import take_own_connection
from sessions_app.database.troubles import MANAGE, trouble_of
from weilink_site.doctor.report import Finding, Status
from weilink_site.host import disk, preflight
from weilink_site.host.values import SQLITE
from weilink_site.postgresql.options import POOL
from weilink_site.version import product_version

LITTLE_BYTES = 1024**3
"""With less free space on a disk somebody should look, though everything works."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_settings() -> Iterator[Finding]:
    public = urlsplit(settings.PUBLIC_URL)
    is_public = public.hostname not in LOOPBACK
    kind = "SQLite" if _is_sqlite() else "PostgreSQL"
    layer = "Redis" if settings.REDIS_URL else "no Redis"
    store = f"WEILINK_STORE={settings.WEILINK_STORE}"
    facts = f"version {product_version()}, {settings.PUBLIC_URL}, {kind}, {layer}, {store}"
    if settings.DEBUG and is_public:
        yield Finding(
            "settings", Status.WRONG, "DEBUG=1 shows internals to visitors.", "Set DEBUG=0."
        )
    elif is_public and public.scheme != "https":
        yield Finding(
            "settings",
            Status.LOOK,
            f"{facts}; cookies and passwords travel without encryption.",
            "Put a proxy with TLS in front and set PUBLIC_URL to https://….",
        )
    else:
        yield Finding("settings", Status.OK, facts)


def check_database() -> Iterator[Finding]:
    """Then the keys, which only a database with its tables can judge."""
    take_own_connection()  # the pool would say less of why it has none
    try:
        found = _database()
        yield found
        if found.status is Status.WRONG:
            yield Finding("keys", Status.SKIPPED, "The tokens cannot be read yet.")
            return
        yield _worker()
        yield _tokens()
    except (DatabaseError, InterfaceError, OSError) as error:
        trouble = trouble_of(error)
        reason = trouble.reason if trouble else f"The database gives an error ({error})"
        advice = trouble.advice if trouble else "check DATABASE_URL"
        yield Finding("database", Status.WRONG, f"{reason}.", _sentence(advice))
        yield Finding("keys", Status.SKIPPED, "Without the database no token can be read.")
    finally:
        connections.close_all()


def _is_sqlite() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == SQLITE)


def _database() -> Finding:
    name = settings.DATABASES["default"]["NAME"]
    if _is_sqlite() and not Path(name).exists():
        return Finding(
            "database",
            Status.WRONG,
            f"{name} does not exist yet.",
            f"Start the console, or run `{MANAGE} migrate`.",
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if reason := preflight.pending_migrations():
        sentence, _, advice = reason.partition(": ")
        return Finding("database", Status.WRONG, f"{sentence}.", _sentence(advice))
    return _sqlite(name) if _is_sqlite() else _postgresql()


def _sqlite(name: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
    facts = f"SQLite {sqlite3.sqlite_version}, {name}, all migrations applied, {mode.upper()}"
    if mode != "wal":
        return Finding(
            "database",
            Status.WRONG,
            f"{facts}: readers and the writer wait for each other.",
            "Keep the file on a local disk: WAL does not work on network folders.",
        )
    return Finding("database", Status.OK, facts)


def _postgresql() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].partition(" ")[0]
        cursor.execute("SHOW max_connections")
        most = int(cursor.fetchone()[0])
    needed = POOL["max_size"] + 5
    facts = f"PostgreSQL {version}, all migrations applied, {most} connections at most"
    if most < needed + 10:
        return Finding(
            "database",
            Status.LOOK,
            f"{facts}; one web process and one worker use up to {needed}.",
            "Raise max_connections if there are several processes.",
        )
    return Finding("database", Status.OK, facts)


def _worker() -> Finding:
    found = queries.worker()
    if found.alive:
        return Finding("worker", Status.OK, f"A worker on {found.host} lives.")
    return Finding(
        "worker",
        Status.LOOK,
        "No worker lives: nothing is received and nothing is sent.",
        f"Start `{MANAGE} console`, or `{MANAGE} poller` beside a web process.",
    )


def _tokens() -> Finding:
    lost, stored = queries.unreadable_tokens()
    if lost:
        return Finding(
            "keys",
            Status.WRONG,
            f"The keys here cannot read the tokens of {len(lost)} of {stored} sessions.",
            "Add the keys that they were stored with to WEILINK_CREDENTIAL_KEYS, newest first; "
            "without them, scan again.",
        )
    open_files = [
        path
        for name in ("secret_key", "credential_keys")
        if (path := settings.HOST.key_dir / name).is_file() and path.stat().st_mode & OTHERS
    ]
    if open_files:
        names = " ".join(str(path) for path in open_files)
        return Finding(
            "keys", Status.WRONG, f"Other users can read {names}.", f"Run `chmod 600 {names}`."
        )
    return Finding("keys", Status.OK, f"The keys read all {stored} stored tokens.")


def check_redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        words = "REDIS_URL is not set: web and worker run in one process."
        yield Finding("redis", Status.OK, words)
    elif reason := preflight.silent_redis():
        sentence, _, advice = reason.rpartition(": ")
        yield Finding("redis", Status.WRONG, f"{sentence}.", _sentence(advice))
    else:
        yield Finding("redis", Status.OK, "Redis answers.")


def check_disk() -> Iterator[Finding]:
    folders = {"data": Path(settings.DATA_DIR), "media": Path(settings.MEDIA_ROOT)}
    for name, folder in folders.items():
        state = disk.state_of(folder)
        if state != "ok":
            words = "is full" if state == "full" else "cannot be written"
            advice = "Make room on it." if state == "full" else "Let this user write there."
            yield Finding("disk", Status.WRONG, f"The {name} folder {folder} {words}.", advice)
            continue
        free = shutil.disk_usage(folder).free
        facts = f"The {name} folder {folder} can be written; {_size(free)} are free."
        if free < LITTLE_BYTES:
            advice = "Make room, or keep fewer files (/settings/)."
            yield Finding("disk", Status.LOOK, facts, advice)
        else:
            yield Finding("disk", Status.OK, facts)


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GB" if count >= 1024**3 else f"{count / 1024**2:.0f} MB"


def check_folder() -> Iterator[Finding]:
    """The session folder and its lock, with WEILINK_STORE=files. Makes and changes nothing."""
    if settings.WEILINK_STORE != "files":
        yield Finding("folder", Status.OK, "Sessions are in the database; no folder is used.")
        return
    base = Path(settings.WEILINK_BASE_PATH)
    advice = f"Let this user write there, or set WEILINK_BASE_PATH; now it is {base}."
    if not base.exists():
        parent = next(one for one in base.parents if one.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield Finding("folder", Status.OK, f"{base} will be made by the first start.")
        else:
            yield Finding("folder", Status.WRONG, f"{base} cannot be made.", advice)
    elif not base.is_dir():
        yield Finding("folder", Status.WRONG, f"{base} is not a folder.", advice)
    elif not os.access(base, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("folder", Status.WRONG, f"{base} cannot be read and written.", advice)
    elif base.stat().st_mode & OTHERS:
        yield Finding(
            "folder",
            Status.LOOK,
            f"Other users of this machine can read {base}, where the bots' tokens are.",
            f"Run `chmod 700 {base}`.",
        )
    else:
        yield _lock(base)


def _lock(base: Path) -> Finding:
    """Tries the lock and lets it go at once; a console that looks in between tries again."""
    path = base / ".poll.lock"
    if not path.exists():
        return Finding("folder", Status.OK, f"{base} is this user's alone; nobody polls there.")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        words = f"{path} cannot be opened ({error.strerror})."
        return Finding("folder", Status.WRONG, words, "Let this user read and write the file.")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        words = f"{base} is this user's alone; a console or another program polls there now."
        return Finding("folder", Status.OK, words)
    except OSError as error:
        words = f"{path} cannot be locked ({error.strerror})."
        advice = "Keep the folder on a file system with locks, such as a local disk."
        return Finding("folder", Status.WRONG, words, advice)
    finally:
        os.close(descriptor)
    return Finding("folder", Status.OK, f"{base} is this user's alone; nobody polls there now.")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."
