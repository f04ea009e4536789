"""A console and a simulated WeChat, each a process of its own, on free ports and fresh data."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from tests.ports import free_port
from tests.processes.child import ROOT, environment

SESSION = "Bench"


class Stage:
    """A context manager; `bot_id` is the bot of a bound session, `api` the console's API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._wechat_port = free_port(), free_port()
        self.wechat = httpx.Client(
            base_url=f"http://127.0.0.1:{self._wechat_port}/simulator/control/", timeout=60
        )
        self._env = environment(
            folder / "home",
            DATABASE_URL=f"sqlite:///{folder / 'console.sqlite3'}",
            WEILINK_ILINK_URL=f"http://127.0.0.1:{self._wechat_port}",
            WEILINK_CDN_URL=f"http://127.0.0.1:{self._wechat_port}/c2c",
            WEILINK_BASE_PATH=str(folder / "weilink"),
            WEILINK_MEDIA_ROOT=str(folder / "media"),
            PORT=str(self._port),
            SECRET_KEY=secrets.token_hex(),
            WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        )
        self._processes: list[subprocess.Popen[bytes]] = []
        self.api = httpx.Client()
        self.bot_id = ""

    def __enter__(self) -> "Stage":
        self._start("simulator", "--port", str(self._wechat_port), "--hold", "30")
        until(lambda: self.wechat.get("clock").is_success, "the simulator")
        console = self._start("console", "--port", str(self._port))
        until(lambda: self._is_ready(console), "the console")
        token = self._manage("api_token", "create", "admin", "--name", "bench").split()[-1]
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        self._bind()
        return self

    def __exit__(self, *_error: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(20)
        self.api.close()
        self.wechat.close()

    def do(self, verb: str, **values: Any) -> Any:
        """One call of the simulator's control interface."""
        return self.wechat.post(verb, json=values).raise_for_status().json()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def _is_ready(self, console: subprocess.Popen[bytes]) -> bool:
        if console.poll() is not None:
            raise RuntimeError((self._folder / "console.log").read_text())
        return httpx.get(f"http://127.0.0.1:{self._port}/readyz", timeout=5).status_code == 200

    def _manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self._env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def _bind(self) -> None:
        login = self.api.post("logins", json={"name": SESSION}).raise_for_status().json()
        until(lambda: self.wechat.get("logins").json(), "a code")
        handle = self.wechat.get("logins").json()[-1]["handle"]
        self.do("scan", handle=handle, account="Lin")
        self.bot_id = self.do("confirm", handle=handle)["bot_id"]

        def is_confirmed() -> bool:
            answer = self.api.get(f"logins/{login['id']}").json()
            return bool(answer["status"] == "confirmed")

        until(is_confirmed, "the session bound")


def until(check: Callable[[], Any], what: str, within_s: float = 90.0) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if check():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {within_s} s: {what}")
        time.sleep(0.05)
