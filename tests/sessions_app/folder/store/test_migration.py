"""The layout before 0.5.0 moves into `default/`, also when several try, or one is killed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sessions_app.folder.store import SessionFolder, UnsafeEntryError
from tests.session_folder import read_token

from .conftest import log_in, mode

MIGRATOR = """
import sys
from pathlib import Path
from sessions_app.folder.store import SessionFolder
folder = SessionFolder(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(folder.migrate(), flush=True)
"""
TOKEN = {"bot_id": "b", "base_url": "https://ilinkai.weixin.qq.com", "token": "flat"}
CONTEXTS = {"a@im.wechat": {"t": "x", "ts": 5.0}}


def _flat(base: Path) -> None:
    base.mkdir(parents=True)
    (base / "token.json").write_text(json.dumps(TOKEN))
    (base / "contexts.json").write_text(json.dumps(CONTEXTS))


def _is_moved(folder: SessionFolder) -> bool:
    token = read_token(folder, "default")
    moved = (
        token is not None
        and token.token == "flat"
        and "a@im.wechat" in folder.read_contexts("default")
    )
    return moved and not (folder.base / "token.json").exists()


def test_token_and_contexts_move_and_nobody_else_may_read_them(folder: SessionFolder) -> None:
    _flat(folder.base)
    assert folder.migrate()
    assert _is_moved(folder)
    assert not (folder.base / "contexts.json").exists()
    assert mode(folder.base / "default") == 0o700
    assert mode(folder.base / "default" / "token.json") == 0o600
    assert not folder.migrate()


def test_a_default_that_has_a_token_stays_as_it_is(folder: SessionFolder) -> None:
    _flat(folder.base)
    kept = log_in(folder, "default", 3)
    assert not folder.migrate()
    assert read_token(folder, "default") == kept
    assert (folder.base / "token.json").exists()


def test_a_base_that_is_absent_or_new_has_nothing_to_move(folder: SessionFolder) -> None:
    assert not folder.migrate()
    assert not folder.base.exists()
    log_in(folder, "shop")
    assert not folder.migrate()


@pytest.mark.parametrize("moved", [[], ["contexts.json"]])
def test_who_is_killed_in_between_leaves_it_to_the_next(
    folder: SessionFolder, moved: list[str]
) -> None:
    _flat(folder.base)
    (folder.base / "default").mkdir()
    for name in moved:
        (folder.base / name).rename(folder.base / "default" / name)
    assert folder.migrate()
    assert _is_moved(folder)


def test_a_link_is_not_migrated(folder: SessionFolder, tmp_path: Path) -> None:
    _flat(folder.base)
    (folder.base / "token.json").rename(tmp_path / "outside.json")
    (folder.base / "token.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(UnsafeEntryError):
        folder.migrate()
    assert (tmp_path / "outside.json").exists()
    assert not (folder.base / "default").exists()


def test_two_processes_at_once_move_it_once(tmp_path: Path) -> None:
    for number in range(5):
        folder = SessionFolder(tmp_path / str(number))
        _flat(folder.base)
        arguments = [sys.executable, "-c", MIGRATOR, str(folder.base)]
        pair = [
            subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for one in pair:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in pair:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        said = sorted(one.communicate(timeout=20)[0].strip() for one in pair)
        assert said == ["False", "True"]
        assert [one.returncode for one in pair] == [0, 0]
        assert _is_moved(folder)
