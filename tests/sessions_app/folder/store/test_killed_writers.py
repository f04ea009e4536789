"""A writer that is killed at any moment leaves the old file or the new one, never a broken one."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sessions_app.folder.store import SessionFolder
from tests.session_folder import read_token

from .conftest import log_in

WRITER = """
import sys
from pathlib import Path
from sessions_app.folder.store import SessionFolder, StoredContext
folder = SessionFolder(Path(sys.argv[1]))
print("ready", flush=True)
number = 0
while True:
    number += 1
    with folder.changing() as change:
        change.write_cursor("secret-1", f"{number:08d}" * 500)
        people = {f"{n}@im.wechat": StoredContext(f"t{number}", 1.0, number) for n in range(40)}
        change.write_contexts("shop", people)
"""


def _kill_writers(folder: SessionFolder, times: int) -> None:
    rng = random.Random(7)
    for _ in range(times):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder.base)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        with writer.stdout:
            assert writer.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))  # not to wait for something: the random moment
            writer.send_signal(signal.SIGKILL)
            writer.wait(10)
        _check(folder)


def _check(folder: SessionFolder) -> None:
    """Readable at once, and the lock is free."""
    token = read_token(folder, "shop")
    assert token is not None
    assert len(token.cursor) in (0, 4000)
    contexts = folder.read_contexts("shop")
    assert len({context.replies_used for context in contexts.values()}) <= 1
    with folder.changing(limit_s=1) as change:
        change.write_cursor("secret-1", "")


def _left_over(base: Path) -> set[str]:
    return {path.name for path in base.rglob("*") if path.is_file()}


def test_twenty_random_kills_leave_no_corrupt_file(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    _kill_writers(folder, 20)
    json.loads((folder.base / "shop" / "contexts.json").read_bytes())


@pytest.mark.slow
def test_fifty_random_kills_leave_no_corrupt_file_and_no_pile_of_drafts(
    folder: SessionFolder,
) -> None:
    log_in(folder, "shop")
    _kill_writers(folder, 50)
    assert len(_left_over(folder.base)) <= 5
