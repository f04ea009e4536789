"""Processes of a benchmark: started here, ended here by their id, and what they use of the machine.

Everything is read from /proc, so nothing runs inside the measured processes.
"""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.processes.child import ROOT

TICKS = os.sysconf("SC_CLK_TCK")
STOP_S = 30.0
T = TypeVar("T")


def allow_many_connections() -> None:
    """As many open files as this machine allows, for us and for the processes we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Process:
    """One started process; its output goes to `log`, its standard output to us if `speaks`."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        speaks: bool = False,
    ) -> None:
        self.log = log
        self.started_at = time.monotonic()
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if speaks else out,
                stderr=out,
            )

    @classmethod
    def python(
        cls, *arguments: str, log: Path, env: Mapping[str, str] | None = None, speaks: bool = False
    ) -> "Process":
        return cls([sys.executable, *arguments], log=log, env=env, speaks=speaks)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def check(self) -> None:
        """Raises RuntimeError with the end of its log if it has ended."""
        if self.popen.poll() is not None:
            end = self.log.read_text(errors="replace")[-3_000:]
            raise RuntimeError(f"{self.popen.args!r} ended with {self.popen.returncode}:\n{end}")

    def stop(self) -> float:
        """SIGTERM, and SIGKILL after half a minute. Seconds until it had ended."""
        began = time.monotonic()
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        return time.monotonic() - began

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(STOP_S)


def run(*arguments: str, env: Mapping[str, str] | None = None, within_s: float = 1_800) -> str:
    """A Python command to its end; its output. Raises RuntimeError with its words if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}:\n{done.stderr[-3_000:]}")
    return done.stdout


async def until(
    check: Callable[[], Awaitable[T]], what: str, *, within_s: float, every_s: float = 0.05
) -> T:
    """The first true answer of `check`. Raises RuntimeError if there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            if found := await check():
                return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(every_s)


@dataclass(frozen=True, slots=True)
class Use:
    """What a tree of processes has used so far, and holds now."""

    at: float
    cpu_s: float
    resident: int
    written: int

    def cores_since(self, before: "Use") -> float:
        """How many cores were busy on average."""
        return (self.cpu_s - before.cpu_s) / (self.at - before.at)

    def written_per_s(self, before: "Use") -> float:
        """Bytes that went to the disk, each second."""
        return (self.written - before.written) / (self.at - before.at)


def use_of(*roots: int) -> Use:
    """Of these processes and all that they started, those that have ended too."""
    cpu = resident = written = 0
    for pid in _trees(roots):
        with contextlib.suppress(OSError):  # it ended just now
            fields = _stat(pid)
            cpu += sum(int(ticks) for ticks in fields[11:15])
            resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            lines = Path(f"/proc/{pid}/io").read_text().splitlines()
            written += next(int(x.split()[1]) for x in lines if x.startswith("write_bytes"))
    page = os.sysconf("SC_PAGE_SIZE")
    return Use(time.monotonic(), cpu / TICKS, resident * page, written)


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold spaces: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _trees(roots: Sequence[int]) -> set[int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
    found = set(roots)
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


class Peak:
    """The largest resident size while the `async with` block runs, looked at 20 times a second."""

    def __init__(self, *roots: int) -> None:
        self._roots = roots
        self.before = self.highest = use_of(*roots).resident
        self._watching: asyncio.Task[None] | None = None

    @property
    def growth_mb(self) -> float:
        return (self.highest - self.before) / 1e6

    async def __aenter__(self) -> "Peak":
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._watching is not None
        self._watching.cancel()
        self._look()

    async def _watch(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(0.05)

    def _look(self) -> None:
        self.highest = max(self.highest, use_of(*self._roots).resident)
