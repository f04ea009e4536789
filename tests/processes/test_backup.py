"""`manage.py backup` beside a running console on SQLite and a session folder, and `restore`."""

import resource
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from sessions_app.folder.store import SessionFolder
from tests.backup import restored
from tests.backup.restored import LINA, WU, backup, contents, refusal, restore, sqlite_rows
from tests.processes.child import ROOT, run, wait_for
from tests.processes.console import Console

MakeOther = Callable[[], Console]
KEYS = ("SECRET_KEY", "WEILINK_CREDENTIAL_KEYS")


@pytest.fixture
def another(console: Console, prepared: Path, tmp_path: Path) -> Iterator[MakeOther]:
    """Makes a host with nothing but the keys and the same WeChat."""
    made: list[Console] = []

    def make() -> Console:
        folder = tmp_path / f"other-{len(made)}"
        folder.mkdir()
        (folder / "gathered_static").symlink_to(prepared / "gathered_static")
        keys = {name: console.env[name] for name in KEYS}
        made.append(Console(folder, console.simulator, keys))
        return made[-1]

    yield make
    for one in made:
        one.close()


def is_lock(name: str) -> bool:
    return name.endswith(".lock")


@pytest.mark.parametrize("wechat", [{"cursor_mode": "replay"}], indirect=True)
def test_a_backup_of_a_running_console_comes_back_held(
    console: Console, another: MakeOther, tmp_path: Path
) -> None:
    """People write all the time. Everything that was stored before the backup is in it."""
    bot = restored.with_a_day_of_work(console)
    restored.with_open_replies(console, bot)
    writing = threading.Thread(
        target=lambda: [
            console.control.write_bulk([bot], count=5, people=20, prefix="m", first=first)
            for first in range(0, 500, 5)
        ]
    )
    writing.start()
    wait_for(lambda: len(console.incoming()) > 20, "some of them stored")
    before = console.incoming()
    file = tmp_path / "backup.tar"
    said = backup(console, file).stdout
    writing.join(30)
    assert console.get("/readyz")[0] == 200
    assert f"{file} (" in said
    assert "2 files of messages are in it." in said
    assert "Keep SECRET_KEY of the environment or .env and WEILINK_CREDENTIAL_KEYS" in said
    assert file.stat().st_mode & 0o777 == 0o600
    token = next(iter(console.simulator.wechat.bots)).token
    assert token not in said
    assert token.encode() not in file.read_bytes()
    for key in KEYS:
        assert console.env[key].encode() not in file.read_bytes()
    console.child.kill()

    here = another()
    assert "the keys here can read it." in restore(here, file, "--check").stdout
    assert not here.database.exists()
    said = restore(here, file).stdout
    assert "2 open replies are unconfirmed." in said
    assert contents(here.folder / "media") == contents(console.folder / "media")
    here.start()
    assert here.incoming()[: len(before)] == before
    restored.is_held_and_silent(here, bot)
    restored.works_after_its_release(here, bot)
    # WeChat repeats from the older cursor what came after the backup.
    wait_for(lambda: len(here.incoming()) == 503, "all messages", within_s=60)
    assert len(set(here.incoming())) == 503
    assert here.child.terminate() == 0
    assert "Traceback" not in here.child.err


def test_what_was_restored_equals_what_was_backed_up(
    console: Console, another: MakeOther, tmp_path: Path
) -> None:
    """Row by row and file by file, of a console that was stopped."""
    restored.with_a_day_of_work(console)
    base = Path(console.env["WEILINK_BASE_PATH"])
    wait_for(lambda: list(base.glob("*/contexts.json")), "the folder written")
    assert console.child.terminate() == 0
    file = tmp_path / "backup.tar"
    backup(console, file)
    here = another()
    restore(here, file)
    there = Path(here.env["WEILINK_BASE_PATH"])
    assert sqlite_rows(here.database) == sqlite_rows(console.database)
    assert contents(here.folder / "media") == contents(console.folder / "media")
    assert contents(there, besides=is_lock) == contents(base, besides=is_lock)
    assert [one.name for one in SessionFolder(there).scan().usable()] == ["Shop of Lin"]
    assert {path.stat().st_mode & 0o077 for path in here.folder.rglob("*.json")} == {0}
    held = "SELECT held_of FROM sessions_app_installation WHERE held_at IS NOT NULL"
    [[of]] = here.rows(held)
    assert of.startswith(f"sqlite:///{console.database} (backup of 20")


def test_what_waits_in_the_spool_is_stored_after_the_restore(
    console: Console, another: MakeOther, tmp_path: Path
) -> None:
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "first")
    wait_for(lambda: console.incoming() == ["first"], "the message")
    assert console.child.terminate() == 0
    # An answer that WeChat does not repeat and that the database did not take.
    wire = console.control.write(bot, WU, "only in the spool")
    restored.put_into_spool(console, wire)
    file = tmp_path / "backup.tar"
    assert "1 answers of WeChat that wait for it are in it." in backup(console, file).stdout
    with tarfile.open(file) as tar:
        assert len([one for one in tar.getnames() if one.startswith("spool/")]) == 1
    here = another()
    assert "1 answers of WeChat waited to be stored" in restore(here, file).stdout
    here.start()
    assert here.incoming() == ["first"]
    run("copy_database", "--release", env=here.env)
    wait_for(lambda: len(here.incoming()) == 2, "the spooled answer", within_s=60)
    assert here.incoming() == ["first", "only in the spool"]


def test_present_data_is_left_alone_or_kept_aside(
    console: Console, another: MakeOther, tmp_path: Path
) -> None:
    restored.with_a_day_of_work(console)
    file = tmp_path / "backup.tar"
    backup(console, file)
    running = "A console runs on this data: stop it first."
    assert refusal(console, "restore", str(file), "--replace") == running
    assert console.child.terminate() == 0
    assert "holds data (in " in refusal(console, "restore", str(file))
    console.database.rename(tmp_path / "elsewhere.sqlite3")
    assert "is not empty" in refusal(console, "restore", str(file))
    (tmp_path / "elsewhere.sqlite3").rename(console.database)

    before = sqlite_rows(console.database)
    folder = contents(Path(console.env["WEILINK_BASE_PATH"]), besides=is_lock)
    said = restore(console, file, "--replace").stdout
    [aside] = tmp_path.glob("console.sqlite3.before-restore-*")
    assert f"The former data is kept in {aside}" in said
    assert sqlite_rows(aside) == before
    [kept] = Path(console.env["WEILINK_BASE_PATH"]).glob(".before-restore-*/files")
    assert contents(kept) == folder
    names = [one.name for one in SessionFolder(kept.parent.parent).scan().sessions]
    assert names == ["Shop of Lin"]
    # A console that was not stopped but killed is heard for a moment longer.
    console.start()
    console.child.kill()
    assert "is in use by" in refusal(console, "restore", str(file), "--replace")


def test_the_keys_have_to_be_those_of_the_backup(
    console: Console, another: MakeOther, tmp_path: Path
) -> None:
    old, new, other = (Fernet.generate_key().decode() for _ in range(3))
    console.env["WEILINK_CREDENTIAL_KEYS"] = f"{new},{old}"
    file = tmp_path / "backup.tar"
    backup(console, file)
    here = another()
    for keys, missing in ((old, 1), (f"{other},{new}", 1), (other, 2)):
        here.env["WEILINK_CREDENTIAL_KEYS"] = keys
        for arguments in (["--check", str(file)], [str(file)]):
            sentence = refusal(here, "restore", *arguments)
            assert f"WEILINK_CREDENTIAL_KEYS lacks {missing} of the 2 keys" in sentence
            assert new not in sentence
        assert not here.database.exists()
    here.env |= {"WEILINK_CREDENTIAL_KEYS": f"{other},{new},{old}", "SECRET_KEY": "another"}
    assert "SECRET_KEY is not that of the backup" in restore(here, file).stdout


def test_a_backup_never_overwrites_and_leaves_nothing_half_made(
    console: Console, tmp_path: Path
) -> None:
    console.env["WEILINK_STORE"] = "database"
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "backup.tar"
    media = Path(console.env["WEILINK_MEDIA_ROOT"]) / "ab/picture"
    media.parent.mkdir(parents=True)
    media.write_bytes(bytes(3_000_000))
    for limit in (200_000, 2_000_000):  # the database does not fit; the files do not
        done = subprocess.run(
            [sys.executable, "manage.py", "backup", str(file)],
            cwd=ROOT, env=console.env, capture_output=True, text=True, check=False,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip
        assert done.returncode == 1, done
        assert done.stderr.startswith("The backup"), done.stderr
        assert done.stderr.count("\n") == 1
        assert list(folder.iterdir()) == []
    left = folder / ".weilink-backup-killed"
    left.mkdir()
    backup(console, file)
    assert list(folder.iterdir()) == [file]
    content = file.read_bytes()
    assert "exists already" in refusal(console, "backup", str(file))
    assert file.read_bytes() == content
    backup(console, file, "--force")
    assert file.read_bytes() != content
    assert "which is backed up" in refusal(console, "backup", str(media.parent / "b.tar"))
    backup(console, folder)
    assert len(list(folder.glob("weilink-20*.tar"))) == 1
    console.database.unlink()
    assert "There is no database" in refusal(console, "backup", str(folder / "c.tar"))


def test_files_can_be_listed_instead(console: Console, another: MakeOther, tmp_path: Path) -> None:
    restored.with_a_day_of_work(console)
    assert console.child.terminate() == 0
    media = console.folder / "media"
    (media / "link").symlink_to("/etc/hostname")
    backup(console, tmp_path / "none.tar", "--media", "none")
    said = backup(console, tmp_path / "list.tar", "--media", "list").stdout
    assert "files of messages are listed in it, not copied" in said
    with tarfile.open(tmp_path / "list.tar") as tar:
        listed = tar.extractfile("media-list")
        assert listed is not None
        lines = sorted(line.decode() for line in listed if b'"link"' not in line)
    files = {name: content for name, content in contents(media).items() if name != "link"}
    assert len(files) == 2
    assert lines == sorted(f'{len(content)} "{name}"\n' for name, content in files.items())
    said = backup(console, tmp_path / "all.tar").stdout
    assert '1 files were left out, listed in its `left-out`:\n  "media/link" ' in said
    here = another()
    said = restore(here, tmp_path / "list.tar").stdout
    assert f"2 files that messages refer to are not in {here.folder / 'media'}:" in said
    shutil.copytree(media, here.folder / "media", dirs_exist_ok=True)
    assert "that messages refer to" not in restore(here, tmp_path / "list.tar", "--replace").stdout
