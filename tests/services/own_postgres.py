"""A PostgreSQL of the test's own, on a free port, that the test may stop, start and restart."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_port
from tests.processes.child import wait_for

DEBIAN = "/usr/lib/postgresql"


class OwnPostgres:
    """One server; its files lie in a folder that goes away with it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.data, self.port = folder / "data", free_port()
        self.database = "postgres"
        self.server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-sync")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{self.database}"

    def add_database(self, name: str, *, template: str = "template1") -> str:
        """Make a copy of the template; from now on the address is that of the copy."""
        self.database = "postgres"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self.database = name
        return self.url

    def start(self) -> None:
        command = [
            *self._as_somebody(), str(self.programs / "postgres"), "-D", str(self.data),
            "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self._answers, "PostgreSQL answering", within_s=30)

    def stop(self) -> None:
        """Every connection is cut, as an update of the server does."""
        if self.server is not None:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGINT)
            self.server.wait(20)
            self.server = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        with suppress(psycopg.Error):
            psycopg.connect(self.url, connect_timeout=2).close()
            return True
        return False

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_somebody(), str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def _as_somebody(self) -> list[str]:
        """PostgreSQL refuses to run as root."""
        return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def running_postgres() -> Iterator[OwnPostgres]:
    programs = _programs()
    if programs is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("initdb of PostgreSQL is required here and is not installed")
        pytest.skip("initdb of PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="weilink-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        made = OwnPostgres(programs, folder)
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of `initdb`: on Debian it is on nobody's PATH."""
    if found := sorted(Path(DEBIAN).glob("*/bin/initdb"), reverse=True):
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None
