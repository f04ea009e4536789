"""A Redis of the test's own, on a free port, gone with the test."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port


class OwnRedis:
    """One server that a test may stop and start again; it keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.port = free_port()
        self.server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1"]
        self.server = subprocess.Popen(
            [*command, "--save", "", "--dir", "."], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                continue

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(10)
            self.server = None


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    """A running server; skipped, or failed with REQUIRE_SERVICES=1, where there is no program."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("redis-server is required here and is not installed")
        pytest.skip("redis-server is not installed")
    made = OwnRedis(program, folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Its address."""
    with own_redis(folder) as server:
        yield server.url
