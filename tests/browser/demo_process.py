"""The demo as a person starts it: from a copy of the sources, a free port, an empty HOME."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("manage.py", "weilink_site", "sessions_app", "messaging", "templates", "static")


@dataclass
class Demo:
    """A running demo: where it is and how to log in."""

    url: str
    username: str
    password: str
    folder: Path
    process: subprocess.Popen[bytes]

    def control(self, call: str, **values: Any) -> Any:
        """One call of the simulator's JSON control interface."""
        answer = httpx.post(f"{self.url}/simulator/control/{call}", json=values, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def read(self, call: str) -> Any:
        return httpx.get(f"{self.url}/simulator/control/{call}", timeout=10).json()

    def python(self, code: str) -> None:
        """Run Python beside the demo, on its data."""
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            cwd=self.folder, env=_environment(self.folder, int(self.url.rpartition(":")[2])),
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(10)


def copy_sources(folder: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "var", ".venv")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_demo(folder: Path, *, port: int | None = None) -> Demo:
    """Start `manage.py console` as `make demo` does; returns when it is ready."""
    port = port or free_port()
    (folder / "home").mkdir(exist_ok=True)
    with (folder / "demo.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "console", "--port", str(port)],
            cwd=folder, env=_environment(folder, port),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    url = f"http://localhost:{port}"
    _until_ready(url, process, folder / "demo.log")
    username, password = (folder / "var/demo/login.txt").read_text().split()
    return Demo(url, username, password, folder, process)


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder / "home"), "WEILINK_DEMO": "1",
        "PORT": str(port), "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the demo ended:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the demo is not ready:\n{log.read_text()}")
