"""The demo as a person starts it: from a copy of the sources, a free port, an empty HOME."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from tests.processes import warm

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("manage.py", "weilink_site", "sessions_app", "messaging", "templates", "static")
# Django is loaded once; every code runs in a new child, so that no code sees what another cached.
RUN_EACH_LINE = """
import json, os, sys, traceback
from django.db import connections
for line in sys.stdin:
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        exec(json.loads(line), {})
        connections.close_all()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
"""


class Shell:
    """Runs Python beside a demo, on its data; started when it is first needed."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self._process: subprocess.Popen[str] | None = None

    def run(self, code: str) -> None:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(code) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "0":
            said = (self._folder / "shell.log").read_text()
            raise AssertionError(f"the code beside the demo failed:\n{said[-4000:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=10)  # closes stdin, which ends it

    def _start(self) -> subprocess.Popen[str]:
        with (self._folder / "shell.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "-v", "0", "-c", RUN_EACH_LINE],
                cwd=self._folder, env=_environment(self._folder, self._port), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        return self._process


@dataclass
class Demo:
    """A running demo: where it is and how to log in."""

    url: str
    username: str
    password: str
    folder: Path
    process: warm.Process
    shell: Shell
    people: dict[str, str] = field(default_factory=dict)
    signed_in: dict[str, list[Any]] = field(default_factory=dict)
    shops: set[str] = field(default_factory=set)
    client: httpx.Client = field(default_factory=partial(httpx.Client, timeout=10))

    def through(self, url: str) -> "Demo":
        """The same demo as seen through a proxy."""
        return replace(self, url=url)

    def control(self, call: str, **values: Any) -> Any:
        """One call of the simulator's JSON control interface."""
        answer = self.client.post(f"{self.url}/simulator/control/{call}", json=values)
        answer.raise_for_status()
        return answer.json()

    def read(self, call: str) -> Any:
        return self.client.get(f"{self.url}/simulator/control/{call}").json()

    def person_id(self, name: str) -> str:
        """Of a simulated customer; ids never change."""
        if name not in self.people:
            self.people |= {one["name"]: one["user_id"] for one in self.read("state")["people"]}
        return self.people[name]

    def python(self, code: str) -> None:
        """Run Python beside the demo, on its data."""
        self.shell.run(code)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.shell.stop()
        self.client.close()
        self.process.send_signal(number)
        return self.process.wait(10)


def copy_sources(folder: Path) -> None:
    ignored = shutil.ignore_patterns("var", ".venv")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)


def start_demo(folder: Path, *, port: int | None = None) -> Demo:
    """Start `manage.py console` as `make demo` does; returns when it is ready."""
    port = port or free_port()
    (folder / "home").mkdir(exist_ok=True)
    with (folder / "demo.log").open("ab") as log:
        process = warm.start(
            ["manage.py", "console", "--port", str(port)],
            env=_environment(folder, port), cwd=folder, out=log.fileno(), err=log.fileno(),
        )  # fmt: skip
    url = f"http://localhost:{port}"
    _until_ready(url, process, folder / "demo.log")
    username, password = (folder / "var/demo/login.txt").read_text().split()
    return Demo(url, username, password, folder, process, Shell(folder, port))


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder / "home"), "WEILINK_DEMO": "1",
        "PORT": str(port), "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def _until_ready(url: str, process: warm.Process, log: Path) -> None:
    deadline = time.monotonic() + 100
    with httpx.Client(timeout=2) as client:  # one for all: each loads the certificates
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"the demo ended:\n{log.read_text()}")
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            time.sleep(0.05)
    process.kill()
    process.wait(10)
    raise AssertionError(f"the demo is not ready:\n{log.read_text()}")


class Demos:
    """Demos of their own for files of tests; the next one starts while the last one is in use."""

    def __init__(self, fresh: Path, folder: Path) -> None:
        self._fresh, self._folder, self._count = fresh, folder, 0
        # Two in turn, so that browsers know the files of the pages already.
        self._ports = (free_port(), free_port())
        self._beside = ThreadPoolExecutor(1)
        self._spare: Future[Demo] | None = None

    def take(self, *, is_last: bool) -> Demo:
        taken = self._spare or self._begin()
        self._spare = None if is_last else self._begin()
        return taken.result()

    def close(self) -> None:
        if self._spare is not None:
            self._spare.result().stop()
        self._beside.shutdown()

    def _begin(self) -> "Future[Demo]":
        self._count += 1
        port = self._ports[self._count % 2]
        return self._beside.submit(self._start, self._folder / str(self._count), port)

    def _start(self, folder: Path, port: int) -> Demo:
        shutil.copytree(self._fresh, folder)
        return start_demo(folder, port=port)
