"""What a scan reports: usable sessions, the default, and everything that is not to be followed."""

import json
import shutil
from pathlib import Path

import pytest

from sessions_app.folder.store import SessionFolder

from .conftest import a_token, as_json, log_in


def _problems(folder: SessionFolder) -> dict[str, str | None]:
    return {one.name: one.problem for one in folder.scan().sessions}


def test_an_absent_base_is_said_and_an_empty_one_is_not_absent(folder: SessionFolder) -> None:
    assert folder.scan().is_absent
    assert not folder.base.exists()
    folder.base.mkdir()
    assert not folder.scan().is_absent
    assert folder.scan().sessions == ()


def test_links_are_shown_and_never_followed(folder: SessionFolder, tmp_path: Path) -> None:
    elsewhere = SessionFolder(tmp_path / "elsewhere")
    log_in(elsewhere, "real")
    log_in(folder, "shop", 2)
    (folder.base / "linked").symlink_to(elsewhere.base / "real")
    (folder.base / "dangling").symlink_to(tmp_path / "nowhere")
    assert _problems(folder) == {"dangling": "link", "linked": "link", "shop": None}
    assert [one.name for one in folder.scan().usable()] == ["shop"]


@pytest.mark.parametrize("name", ["a\\b", ".hidden", "a:b", "x ", "e\u0301", "a\u202eb"])
def test_an_unsafe_name_found_on_disk_is_shown_and_not_read(
    folder: SessionFolder, name: str
) -> None:
    log_in(folder, "shop")
    shutil.copytree(folder.base / "shop", folder.base / name)
    (folder.base / "shop" / "token.json").unlink()
    found = folder.scan().get(name)
    assert found is not None
    assert (found.token, found.problem) == (None, "bad_name")
    assert found.reason


def test_other_things_in_the_base_are_no_sessions(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    for name in ("messages.db", "notes.txt", ".DS_Store"):
        (folder.base / name).write_text("x")
    (folder.base / "empty").mkdir()
    (folder.base / ".undelivered").mkdir()
    assert list(_problems(folder)) == ["shop"]


def test_of_two_names_that_clash_the_older_session_stays(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    (folder.base / "SHOP").mkdir()
    newer = {"bot_id": "b2", "base_url": "u", "token": "t2", "created_at": 1_800_000_000}
    (folder.base / "SHOP" / "token.json").write_text(json.dumps(newer))
    assert _problems(folder) == {"SHOP": "same_name", "shop": None}


def test_a_bot_is_one_session_whatever_its_folders_are_called(folder: SessionFolder) -> None:
    log_in(folder, "a", 1)
    log_in(folder, "b", 1, token="newer", created_at_s=1_800_000_000.0)
    log_in(folder, "c", 1, created_at_s=1_600_000_000.0)
    assert _problems(folder) == {"a": "same_bot", "b": None, "c": "same_bot"}


def test_the_default_is_the_chosen_one_else_default_else_the_oldest(
    folder: SessionFolder,
) -> None:
    assert folder.scan().default_name == "default"
    log_in(folder, "b", 2)
    log_in(folder, "a", 3)
    assert folder.scan().default_name == "b"
    log_in(folder, "default", 4)
    assert folder.scan().default_name == "default"
    with folder.changing() as change:
        change.set_default("a")
    assert folder.scan().default_name == "a"
    assert (folder.base / ".default_session").read_text() == "a"
    (folder.base / ".default_session").write_text("../gone")
    assert folder.scan().default_name == "default"


def test_a_folder_that_comes_back_after_a_rename_is_set_aside(folder: SessionFolder) -> None:
    log_in(folder, "old")
    shutil.copytree(folder.base / "old", folder.base.parent / "kept")
    with folder.changing() as change:
        change.rename("old", "new")
    shutil.copytree(folder.base.parent / "kept", folder.base / "old")
    assert _problems(folder) == {"new": None, "old": "written_back"}
    with folder.changing() as change:
        assert change.write_cursor("secret-1", "c5", hint="old") == "new"
    assert as_json(folder.base / "old" / "token.json")["cursor"] == ""


def test_a_folder_that_comes_back_after_a_logout_is_set_aside(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    shutil.copytree(folder.base / "shop", folder.base.parent / "kept")
    with folder.changing() as change:
        change.log_out("shop")
    shutil.copytree(folder.base.parent / "kept", folder.base / "shop")
    assert _problems(folder) == {"shop": "written_back"}
    with folder.changing() as change:
        assert change.write_cursor("secret-1", "c5", hint="shop") is None
        change.write_token("shop", a_token())  # somebody wants exactly this token back
    assert _problems(folder) == {"shop": None}


def test_a_renamed_folder_that_was_moved_by_hand_is_a_session(folder: SessionFolder) -> None:
    log_in(folder, "a")
    with folder.changing() as change:
        change.rename("a", "b")
    (folder.base / "b").rename(folder.base / "c")
    assert _problems(folder) == {"c": None}


def test_no_token_stands_in_the_list_of_retired_ones(folder: SessionFolder) -> None:
    log_in(folder, "a")
    with folder.changing() as change:
        change.rename("a", "b")
        change.log_out("b")
    assert "secret-1" not in (folder.base / ".retired.json").read_text()
