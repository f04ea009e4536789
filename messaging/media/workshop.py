"""The console's side of the helper process: sends it jobs and restarts it when it dies.

The helper starts with the first job, by `spawn`: a forked child would inherit locks and secrets.
It ends when its input is closed, so it never outlives the console.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from messaging.media import confinement

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
GOODBYE_S = 1.0

Job = dict[str, Any]


class WorkRefused(Exception):  # noqa: N818 - a statement
    """The file cannot be decoded; `code` is one of `media.reasons`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Workshop:
    """`await do(job)` in a loop, `do_now(job)` in a thread. Jobs run one at a time."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="workshop")

    async def do(self, job: Job) -> Job:
        """Run a job. Raises WorkRefused, also if the helper dies or takes too long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.do_now, job)

    def do_now(self, job: Job) -> Job:
        """The same as `do`, for code without an event loop."""
        with self._lock:
            answer = self._request(json.dumps(job))
        if "made" not in answer:
            raise WorkRefused(str(answer.get("refused", "not_readable")))
        made: Job = answer["made"]
        return made

    def close(self) -> None:
        """Kill the helper; a running job fails with WorkRefused."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        process = self._process
        if process is None:
            return
        process.kill()  # before the lock: the thread that reads its answer holds it
        with self._lock:
            _end(process)
            self._process = None

    def _request(self, line: str) -> Job:
        process = self._helper()
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(self._timeout_s, process.kill)
        watchdog.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            logger.warning("the media helper died while decoding; the next job restarts it")
            _end(process)
            self._process = None
            return {"refused": "not_readable"}
        found: Job = json.loads(answer)
        return found

    def _helper(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is not None:
            _end(self._process)
            self._process = None
        if self._process is None:
            _say_what_is_missing()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-m", "messaging.media.workbench"],
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self._process


@cache
def _say_what_is_missing() -> None:
    """Once: docs/hardening.md says what it means."""
    if missing := confinement.missing():
        logger.warning(
            "this machine has no %s: the media helper is less confined (docs/hardening.md)",
            " and no ".join(missing),
        )


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # it died while a job was being written
            pass
    try:
        process.wait(GOODBYE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
