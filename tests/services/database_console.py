"""The console as a process on a PostgreSQL server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.console import Console


class DatabaseConsole(Console):
    """A console whose rows are read from the server."""

    def __init__(self, folder: Path, simulator: SimulatorServer, database_url: str) -> None:
        keys = {
            "SECRET_KEY": "only-for-this-test",
            "WEILINK_CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        }
        super().__init__(folder, simulator, keys)
        self.env |= {"DATABASE_URL": database_url, "WEILINK_STORE": "database"}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(query).fetchall()


@contextmanager
def console_on(
    folder: Path, simulator: SimulatorServer, database_url: str
) -> Iterator[DatabaseConsole]:
    made = DatabaseConsole(folder, simulator, database_url)
    try:
        yield made
    finally:
        made.close()
