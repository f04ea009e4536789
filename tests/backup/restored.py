"""A console that is backed up, and one that is restored from it: helpers of several tests."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.messaging.media.samples import picture
from tests.processes.child import python, run, wait_for
from tests.processes.console import Console

LINA, WU = "lina@im.wechat", "wu@im.wechat"
SEND = "/ilink/bot/sendmessage"
PICTURE = picture()
RELEASED = "Released: this installation receives and sends now."
CHANGED = {
    "sessions_app_auditentry",
    "sessions_app_installation",
    "sessions_app_workerbeat",
}
"""Tables that a restore changes even where no reply was open."""
SPOOL_ONE = """
import json
from datetime import UTC, datetime
from pathlib import Path
from django.conf import settings
from messaging.receiving.answers import Received
from messaging.receiving.recorder import Spool, spool_folder
from sessions_app.ilink.wire import parse_updates
from sessions_app.models import Session
session = Session.objects.get()
message = {message!r}
body = json.dumps({{"ret": 0, "msgs": [message], "get_updates_buf": "later"}}).encode()
Spool(spool_folder(Path(settings.DATA_DIR))).put(Received(
    session_id=session.pk, generation=session.generation, request_cursor="",
    updates=parse_updates(body), received_at=datetime.now(UTC)))
"""

Done = subprocess.CompletedProcess[str]


def backup(console: Console, path: Path, *options: str) -> Done:
    done = run("backup", str(path), *options, env=console.env)
    assert done.returncode == 0, done.stderr
    return done


def restore(console: Console, path: Path, *options: str) -> Done:
    done = run("restore", str(path), *options, env=console.env)
    assert done.returncode == 0, done.stderr
    return done


def refusal(console: Console, *arguments: str) -> str:
    """The one sentence that the command ended with."""
    done = run(*arguments, env=console.env)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def with_a_day_of_work(console: Console) -> str:
    """A message, a picture, a sent reply, one on the wire and one behind it. Returns the bot."""
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "Where is my parcel?")
    console.control.write(bot, WU, kind="image", content=PICTURE, file_name="shelf.png")
    stored = "state = 'stored' AND thumb_name <> ''"
    wait_for(lambda: console.count("messaging_attachment", stored) == 1, "the picture")
    wait_for(lambda: len(console.incoming()) == 2, "both messages")
    console.queue_replies([(LINA, "On its way")])
    wait_for(lambda: console.fates() == {"On its way": ("sent", "")}, "the reply sent")
    return bot


def with_open_replies(console: Console, bot: str) -> None:
    console.control.add_fault("slow", path=SEND, delay_s=60.0, times=None)
    console.queue_replies([(LINA, "on the wire"), (LINA, "waits")])
    wait_for(
        lambda: (
            (console.fates()["on the wire"][0], console.fates()["waits"][0])
            == ("sending", "queued")
        ),
        "one on the wire",
    )


def is_held_and_silent(console: Console, bot: str) -> None:
    """Running on the restored data, it neither polls nor sends, and says so; open replies wait."""
    before = console.control.polls()["by_bot"][bot]["total"], len(console.control.sends())
    heard = "SELECT heard_at FROM sessions_app_workerbeat"
    wait_for(lambda: console.rows(heard), "its worker heard")
    first = console.rows(heard)
    wait_for(lambda: console.rows(heard) != first, "its worker heard twice")
    after = console.control.polls()["by_bot"][bot]["total"], len(console.control.sends())
    assert after == before
    fates = console.fates()
    assert fates["On its way"] == ("sent", "")
    assert fates["on the wire"] == fates["waits"] == ("unconfirmed", "restored")


def works_after_its_release(console: Console, bot: str) -> None:
    console.control.clear_faults()
    sent = len(console.control.sends())
    done = run("copy_database", "--release", env=console.env)
    assert RELEASED in done.stdout, done.stderr
    console.control.write(bot, LINA, "Thank you")
    wait_for(lambda: "Thank you" in console.incoming(), "receiving again", within_s=60)
    assert len(console.incoming()) == len(set(console.incoming()))
    assert len(console.control.sends()) == sent
    assert console.fates()["waits"] == ("unconfirmed", "restored")


def contents(folder: Path, *, besides: Callable[[str], bool] = lambda name: False) -> Any:
    """Relative name → bytes of every file."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in named.items() if not besides(name)}


def sqlite_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that a restore leaves as it is."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: sorted(database.execute(f'SELECT * FROM "{name}"'), key=repr)
            for (name,) in tables
            if name not in CHANGED and not name.startswith("sqlite_")
        }


def put_into_spool(console: Console, message: dict[str, Any]) -> None:
    python(SPOOL_ONE.format(message=message), env=console.env)
