"""Migrated databases, made once for all processes of a test run and then copied.

The migrations take many seconds, so neither a worker of the tests nor a console under test applies
them again.
"""

import fcntl
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/test"
LIMIT_S = 300.0


def migrate(database_url: str) -> None:
    """Apply all migrations in a process of its own, with nothing of this machine's settings."""
    with tempfile.TemporaryDirectory(prefix="weilink-migrate-") as home:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "DATABASE_URL": database_url,
            "WEILINK_BASE_PATH": f"{home}/weilink",
            "WEILINK_MEDIA_ROOT": f"{home}/media",
            "SECRET_KEY": "only-to-migrate",
            "WEILINK_CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", ""),
        }
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def migrated_file(factory: pytest.TempPathFactory) -> Path:
    """The file that the first process of this run made; the others wait for it."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / "migrated.sqlite3"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            draft = folder / "migrating.sqlite3"
            migrate(f"sqlite:///{draft}")
            draft.rename(made)
    return made


def named(url: str, database: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def migrated_on_postgresql(server: str) -> Iterator[str]:
    """The name of a database on this server to copy; dropped at the end."""
    name = f"weilink_migrated_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            migrate(named(server, name))
            yield name
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
