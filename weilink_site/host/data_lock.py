"""Allows one console per database, by a lock that lasts as long as its process.

SQLite: `flock` on a file beside the database. PostgreSQL: an advisory lock on a connection of its
own.
"""

import fcntl
import os
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

ADVISORY_KEY = 0x5745_494C


class DataInUse(Exception):  # noqa: N818 - a statement
    """Another console is running on this database."""


class DataLock:
    """Call `take()` once. The lock is released when the process ends, also by a crash."""

    def __init__(self) -> None:
        self._held: Any = None

    def take(self) -> None:
        """Raises DataInUse."""
        if connection.vendor == "postgresql":
            self._take_advisory()
        else:
            self._take_file(Path(f"{connection.settings_dict['NAME']}.console"))

    def keep(self) -> None:
        """Take the lock again if its connection broke, for example by a restart of the server.

        Raises DataInUse if another console was faster, and the driver's error while no server
        answers. SQLite's file lock cannot be lost.
        """
        if isinstance(self._held, psycopg.Connection):
            try:
                self._held.execute("SELECT 1")
            except psycopg.Error:
                self._held.close()
                self._take_advisory()

    def release(self) -> None:
        """Let another console take it, before this process ends."""
        if isinstance(self._held, psycopg.Connection):
            self._held.close()
        elif self._held is not None:
            os.close(self._held)
        self._held = None

    def _take_file(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise DataInUse from error
        self._held = handle

    def _take_advisory(self) -> None:
        params = {
            key: value
            for key, value in connection.get_connection_params().items()
            if key not in {"cursor_factory", "context", "prepare_threshold", "pool"}
        }
        own = psycopg.connect(**params, autocommit=True)
        row = own.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_KEY]).fetchone()
        if row is None or not row[0]:
            own.close()
            raise DataInUse
        self._held = own
