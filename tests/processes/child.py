"""Children of a test: `manage.py …` as real processes with an environment of their own.

Nothing of the machine's environment, HOME or `.env` data is used; only children that were started
here are ever ended.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tests.processes import warm

ROOT = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")


def wait_for(check: Callable[[], T], what: str, *, within_s: float = 30.0) -> T:
    """The first true answer of `check`; a failed test when none came in time."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.02)
    return found


def environment(home: Path, **variables: str) -> dict[str, str]:
    """A child's whole environment. `home` is its empty HOME.

    Compiled modules lie where those of the tests lie, so that no child compiles them again.
    """
    home.mkdir(exist_ok=True)
    plain = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    if compiled := os.environ.get("PYTHONPYCACHEPREFIX"):
        plain["PYTHONPYCACHEPREFIX"] = compiled
    return {**plain, "PYTHONUNBUFFERED": "1", **variables}


def children_of(process: int) -> list[int]:
    """Their process ids, the oldest first."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        found = [one for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return sorted(int(one) for one in found)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Child:
    """One `manage.py` command, its output kept in two files beside each other.

    `program`: another one for the interpreter, such as `-m daphne`.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path = ROOT,
        program: Sequence[str] = ("manage.py",),
    ) -> None:
        self.out_file, self.err_file = log.with_suffix(".out"), log.with_suffix(".err")
        with self.out_file.open("ab") as out, self.err_file.open("ab") as err:
            self.process = warm.start(
                [*program, *arguments], env=env, cwd=cwd, out=out.fileno(), err=err.fileno()
            )

    @property
    def out(self) -> str:
        return self.out_file.read_text()

    @property
    def err(self) -> str:
        return self.err_file.read_text()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait(self, within_s: float = 30.0) -> int:
        """Its exit status; a failed test when it does not end in time."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"still running after {within_s} s:\n{self.err}") from error

    def terminate(self, within_s: float = 30.0) -> int:
        """SIGTERM; the exit status, and a failed test when it does not end."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within_s)

    def kill(self) -> None:
        """SIGKILL: no last word, nothing flushed. Returns when its children are gone, too."""
        children = children_of(self.process.pid)
        self.process.kill()
        self.process.wait(10)
        wait_for(lambda: not any(is_alive(one) for one in children), "its children gone")


def run(
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path = ROOT,
    program: Sequence[str] = ("manage.py",),
) -> subprocess.CompletedProcess[str]:
    """A short command, to its end. `program`: see `Child`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = warm.start(
            [*program, *arguments], env=env, cwd=cwd, out=out.fileno(), err=err.fileno()
        )
        try:
            process.wait(100)
        finally:
            process.kill()
        said = [file.read().decode() for file in (out, err) if not file.seek(0)]
    return subprocess.CompletedProcess(arguments, process.wait(10), *said)


def python(code: str, *, env: Mapping[str, str]) -> str:
    """Run code inside the project, in a child; its last line of output."""
    done = run("shell", "--no-imports", "-c", code, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().rpartition("\n")[2]
