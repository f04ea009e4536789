"""The console's side of the helper process: hands it one job at a time, replaces it when it dies.

Started fresh (`spawn`, never a fork: a forked child would inherit locks and secrets) when the
first job comes; ends when its input does, so it never outlives the console.
"""

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
GOODBYE_S = 1.0

Job = dict[str, Any]


class WorkRefused(Exception):  # noqa: N818 - a statement
    """The file cannot be made anything of; `code` is one of `media.reasons`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Workshop:
    """`await do(job)` from any loop, `do_now(job)` from any thread; one job at a time."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="workshop")

    async def do(self, job: Job) -> Job:
        """What was made. Raises WorkRefused; also when the helper died or took too long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.do_now, job)

    def do_now(self, job: Job) -> Job:
        """The same, for code that has no loop."""
        with self._lock:
            answer = self._asked(json.dumps(job))
        if "made" not in answer:
            raise WorkRefused(str(answer.get("refused", "not_readable")))
        made: Job = answer["made"]
        return made

    def close(self) -> None:
        """End the helper at once; a job that runs is refused to whoever asked for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        process = self._process
        if process is None:
            return
        process.kill()  # first: whoever reads its answer holds the pipe
        with self._lock:
            _end(process)
            self._process = None

    def _asked(self, line: str) -> Job:
        process = self._running()
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
            logger.warning("the media helper ended over a file; the next job starts another one")
            _end(process)
            self._process = None
            return {"refused": "not_readable"}
        found: Job = json.loads(answer)
        return found

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is not None:
            _end(self._process)
            self._process = None
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "messaging.media.workbench"],
                cwd=ROOT,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self._process


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # it died with a job half written
            pass
    try:
        process.wait(GOODBYE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
