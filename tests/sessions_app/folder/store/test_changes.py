"""Renaming, logging out and the default, on disk."""

from pathlib import Path

import pytest

from sessions_app.folder.store import FolderAbsentError, SessionFolder, StoredContext
from sessions_app.sessions import names
from tests.session_folder import read_token

from .conftest import a_token, log_in

CONTEXT = StoredContext("t", 5.0, 2, 6.0, 4.0)


def _shop(folder: SessionFolder) -> None:
    log_in(folder, "shop", cursor="c1")
    with folder.changing() as change:
        change.write_contexts("shop", {"a": CONTEXT})
    (folder.base / "shop" / "notes.txt").write_text("ours")


def test_a_rename_moves_everything_that_is_in_the_folder(folder: SessionFolder) -> None:
    _shop(folder)
    with folder.changing() as change:
        assert change.rename("shop", "店") == "店"
    assert not (folder.base / "shop").exists()
    assert read_token(folder, "店") == a_token(cursor="c1")
    assert folder.read_contexts("店") == {"a": CONTEXT}
    assert (folder.base / "店" / "notes.txt").read_text() == "ours"


@pytest.mark.parametrize("name", ["default", "shop"])
def test_the_default_stays_the_default_when_it_is_renamed(folder: SessionFolder, name: str) -> None:
    log_in(folder, name, 1)
    log_in(folder, "other", 2)
    with folder.changing() as change:
        change.set_default(name)
        change.rename(name, "new")
    assert folder.scan().default_name == "new"


def test_a_taken_name_is_refused_and_an_empty_folder_takes_none(folder: SessionFolder) -> None:
    _shop(folder)
    log_in(folder, "other", 2)
    (folder.base / "empty").mkdir()
    (folder.base / "full").mkdir()
    (folder.base / "full" / "x").write_text("x")
    with folder.changing() as change:
        for taken in ("other", "OTHER", "full"):
            with pytest.raises(names.SessionNameTaken):
                change.rename("shop", taken)
        change.rename("shop", "empty")
    assert folder.read_contexts("empty") == {"a": CONTEXT}


def test_a_logout_forgets_credentials_and_contexts_and_keeps_what_others_put_there(
    folder: SessionFolder,
) -> None:
    _shop(folder)
    log_in(folder, "other", 2)
    with folder.changing() as change:
        change.set_default("other")
        change.log_out("shop")
        change.log_out("other")
    assert [path.name for path in (folder.base / "shop").iterdir()] == ["notes.txt"]
    assert not (folder.base / "other").exists()
    assert not (folder.base / ".default_session").exists()
    secrets = [path for path in folder.base.rglob("*") if path.is_file()]
    assert not any("secret-" in path.read_text() for path in secrets)


def test_a_cursor_reaches_whoever_holds_the_token_and_nobody_else(
    folder: SessionFolder,
) -> None:
    log_in(folder, "shop", 1)
    with folder.changing() as change:
        assert change.write_cursor("secret-1", "c1", hint="shop") == "shop"
        change.rename("shop", "new")
        assert change.write_cursor("secret-1", "c2", hint="shop") == "new"
        change.write_token("new", a_token(2))  # bound anew
        assert change.write_cursor("secret-1", "c3", hint="new") is None
        change.log_out("new")
        assert change.write_cursor("secret-2", "c4", hint="new") is None
    assert folder.scan().sessions == ()


def test_only_a_login_makes_the_base_folder(folder: SessionFolder) -> None:
    with pytest.raises(FolderAbsentError), folder.changing():
        pass
    assert not folder.base.exists()


def test_an_odd_token_file_of_old_code_is_the_session_default(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "w", flat_default="bot.json")
    log_in(folder, "default")
    assert (folder.base / "bot.json").exists()
    assert [one.name for one in folder.scan().usable()] == ["default"]
    with folder.changing() as change:
        change.write_contexts("default", {"a": CONTEXT})
        change.rename("default", "shop")
    assert not (folder.base / "bot.json").exists()
    assert folder.read_contexts("shop") == {"a": CONTEXT}
    assert folder.scan().default_name == "shop"
