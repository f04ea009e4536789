"""Somebody at a browser, and what the database and the process hold for them meanwhile."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

import psycopg

from tests.processes.console import Console
from tests.services.database_console import DatabaseConsole

LOCK = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"


class Visitor:
    """A signed-in browser that can leave before it has its answer; leaving it closes its lines."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.cookie = console.log_in()
        self._lines = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._lines.close()

    def page(self, path: str) -> int:
        return self.console.get(path, Cookie=self.cookie)[0]

    def ask(self, path: str, headers: str = "") -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.console.port), timeout=20)
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{self.console.port}\r\n"
            f"Cookie: {self.cookie}\r\n{headers}\r\n".encode()
        )
        self._lines.enter_context(line)
        return line


@contextmanager
def locked(console: DatabaseConsole, table: str) -> Iterator[None]:
    """Whoever reads the table waits meanwhile."""
    with psycopg.connect(console.env["DATABASE_URL"]) as holder:
        holder.execute(LOCK.format(table))
        yield
        holder.rollback()


def waiting(console: Console) -> int:
    """How many connections of the console wait for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(console.rows(query)[0][0])


def connections(console: Console) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    return int(console.rows(query)[0][0])


def descriptors(console: Console) -> int:
    return len(os.listdir(f"/proc/{console.child.process.pid}/fd"))
