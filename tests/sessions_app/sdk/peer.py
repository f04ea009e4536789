"""One process that runs the public SDK in a folder, as seen by the test that started it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("peer_process.py")


class Peer:
    """`ask` calls a method of `peer_process.Program` and waits for its answer."""

    def __init__(self, base: Path, *, store: bool = False, wechat_url: str = "") -> None:
        """`store`: it keeps messages.db; `wechat_url`: where its logins go."""
        arguments = ["--store"] if store else []
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(base), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PEER_ILINK_URL": wechat_url},
        )

    def ask(self, do: str, **arguments: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """As a script that comes to its end: the SDK writes what it remembers."""
        if self._process.poll() is None:
            self._process.communicate(timeout=15)

    def kill(self) -> None:
        """SIGKILL, whatever it does at the moment."""
        self._process.kill()
        self._process.communicate(timeout=15)
