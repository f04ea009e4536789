"""A program that holds the folder's polls and stands still: nothing is received, and it is said."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions_app.folder.store import SessionFolder
from tests.processes.child import wait_for
from tests.processes.console import Console, as_json

pytestmark = pytest.mark.timeout(300)
HOLD = """
import fcntl, sys
file = open(sys.argv[1], 'a')
fcntl.flock(file, fcntl.LOCK_EX)
print('held', flush=True)
input()
"""
LINA = "lina@im.wechat"
SAID_WITHIN_S = 15.0


class Holder:
    """Another program with the poll lock."""

    def __init__(self, lock: Path) -> None:
        command = [sys.executable, "-c", HOLD, str(lock)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def lock(console: Console) -> Path:
    return SessionFolder(console.folder / "weilink").poll_lock.path


@pytest.fixture
def holder(console: Console, lock: Path) -> Iterator[Holder]:
    """Takes the lock as soon as the console, which received so far, has let go of it."""
    console.start()
    console.bind("Lin")
    assert console.child.terminate() == 0
    made = Holder(lock)
    yield made
    made.end()


def _receiving(console: Console) -> str:
    word: str = as_json(console.get("/readyz")[1])["receiving"]
    return word


def _state(console: Console) -> str:
    return str(console.rows("SELECT state FROM sessions_app_session")[0][0])


def test_it_is_said_until_it_goes_on_or_ends(console: Console, holder: Holder) -> None:
    console.start()
    cookie = console.log_in()
    wait_for(lambda: _state(console) == "polled_elsewhere", "the other program receives")
    assert _receiving(console) == "ok"

    holder.process.send_signal(signal.SIGSTOP)
    wait_for(
        lambda: _receiving(console) == "nobody receives", "readyz says it", within_s=SAID_WITHIN_S
    )
    assert console.get("/readyz")[0] == 503
    wait_for(lambda: _state(console) == "failing", "the session says it")
    page = console.get("/sessions/", Cookie=cookie)[1]
    assert (
        "nothing is received: the program that receives for the account folder is not responding"
        in page.lower()
    )

    holder.process.send_signal(signal.SIGCONT)
    wait_for(lambda: _state(console) == "polled_elsewhere", "it goes on", within_s=SAID_WITHIN_S)
    assert _receiving(console) == "ok"

    holder.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: _state(console) == "failing", "it is said again", within_s=SAID_WITHIN_S)
    holder.end()
    wait_for(lambda: _state(console) == "connected", "this console receives")
    assert console.get("/readyz")[0] == 200
