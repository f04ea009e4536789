"""WEILINK_STORE=database: the session folder is not read, not written, not even looked for."""

from pathlib import Path

import pytest

from sessions_app.folder.store import SessionFolder, StoredToken
from tests.processes.child import environment, wait_for
from tests.processes.console import Console

LINA = "lina@im.wechat"
NOTES = """
import os, sys
root = os.environ["HOME"]
notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

def note(event, arguments):
    if event == "open" or event.startswith(("os.", "shutil.", "sqlite3.connect")):
        for one in arguments:
            path = os.fsdecode(one) if isinstance(one, (str, bytes, os.PathLike)) else ""
            if root in path:
                os.write(notes, f"{event} {path}\\n".encode())

sys.addaudithook(note)
"""
"""`sitecustomize` of the child: each file and folder under HOME that it opens, lists or changes."""


@pytest.fixture
def base(console: Console) -> Path:
    """The session folder of another program, under HOME, with a bot in it."""
    environment(console.folder / "home")
    folder = SessionFolder(console.folder / "home" / "shared")
    bot = console.control.bind("Guo", notified=True)
    token = StoredToken(bot["bot_id"], console.simulator.url, bot["token"], bot["account_id"])
    with folder.changing(make=True) as change:
        change.write_token("of a script", token)
    return folder.base


def _story(console: Console, base: Path, store: str) -> list[str]:
    """Scanned, received, answered and stopped; what the children touched under HOME."""
    hook = console.folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(NOTES)
    notes = console.folder / "notes"
    console.env.update(PYTHONPATH=str(hook), NOTES=str(notes))
    console.env.update(WEILINK_STORE=store, WEILINK_BASE_PATH=str(base))
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "Where is my parcel?")
    wait_for(lambda: console.incoming() == ["Where is my parcel?"], "the message")
    console.queue_replies([(LINA, "On its way")])
    wait_for(lambda: console.fates() == {"On its way": ("sent", "")}, "the reply sent")
    assert console.control.seen(bot, LINA) == ["On its way"]
    assert console.child.terminate() == 0
    return notes.read_text().splitlines()


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _names(console: Console) -> set[str]:
    return {row[0] for row in console.rows("SELECT name FROM sessions_app_session")}


def test_sessions_in_the_database_touch_no_file_of_the_folder(console: Console, base: Path) -> None:
    before = _content(console.folder / "home")
    assert _story(console, base, "database") == []
    assert _content(console.folder / "home") == before
    assert _names(console) == {"Shop of Lin"}


def test_sessions_in_files_do_and_the_hook_sees_it(console: Console, base: Path) -> None:
    noted = _story(console, base, "files")
    # What lies inside is opened by a handle of the folder, which cannot be had without this.
    assert {f"open {base}", f"open {base / '.poll.lock'}"} <= set(noted)
    assert (base / "Shop of Lin" / "token.json").exists()
    assert _names(console) == {"of a script", "Shop of Lin"}
