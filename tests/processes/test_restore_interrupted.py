"""A restore that is killed or does not fit changes nothing before its switch, and can be redone."""

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.backup import restored
from tests.backup.restored import backup, contents, restore, sqlite_rows
from tests.processes.child import ROOT, run
from tests.processes.console import Console
from tests.processes.test_backup import is_lock

HOOK = """
import os, signal, sys
where = os.environ["KILLED_AT"]

def note(event, arguments):
    if event == "os.rename" and where in f"{arguments[0]} -> {arguments[1]}":
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(note)
"""
"""`sitecustomize` of the child, which dies just before a certain rename."""
DURING = "media/"
BEFORE_THE_SWITCH = "console.sqlite3.restoring -> "
AFTER_THE_SWITCH = ".before-restore-"


@pytest.mark.parametrize("at", [DURING, BEFORE_THE_SWITCH, AFTER_THE_SWITCH])
def test_killed_anywhere_it_can_be_run_again(console: Console, tmp_path: Path, at: str) -> None:
    restored.with_a_day_of_work(console)
    base = Path(console.env["WEILINK_BASE_PATH"])
    assert console.child.terminate() == 0
    file = tmp_path / "backup.tar"
    backup(console, file)
    rows, files = sqlite_rows(console.database), contents(base, besides=is_lock)
    change = "from messaging.models import Message; Message.objects.update(text='since')"
    assert run("shell", "--no-imports", "-c", change, env=console.env).returncode == 0
    for name in list(contents(console.folder / "media")):
        (console.folder / "media" / name).unlink()
    since = sqlite_rows(console.database)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)
    killed = run(
        "restore", str(file), "--replace",
        env={**console.env, "PYTHONPATH": f"{hook}:{ROOT}", "KILLED_AT": at},
    )  # fmt: skip
    assert killed.returncode == -9, killed
    is_switched = at == AFTER_THE_SWITCH
    assert sqlite_rows(console.database) == (rows if is_switched else since)
    held = "sessions_app_installation", "held_at IS NOT NULL"
    assert console.count(*held) == int(is_switched)

    restore(console, file, "--replace")
    assert sqlite_rows(console.database) == rows
    assert len(contents(console.folder / "media")) == 2
    kept = contents(base, besides=lambda name: is_lock(name) or ".before-restore-" in name)
    assert kept == files
    assert console.count(*held) == 1
    left = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".weilink-backup-")]
    assert left == []
    assert not list(tmp_path.rglob("*restoring*"))


def test_a_restore_that_does_not_fit_changes_nothing(console: Console, tmp_path: Path) -> None:
    console.env["WEILINK_STORE"] = "database"
    file = tmp_path / "backup.tar"
    backup(console, file)
    present = console.database.read_bytes()
    limit = 100_000
    done = subprocess.run(
        [sys.executable, "manage.py", "restore", str(file), "--replace"],
        cwd=ROOT, env=console.env, capture_output=True, text=True, check=False,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert done.stderr.startswith("The restore failed: File too large"), done.stderr
    assert console.database.read_bytes() == present
    assert not list(tmp_path.glob("*.restoring*"))
    restore(console, file, "--replace")
