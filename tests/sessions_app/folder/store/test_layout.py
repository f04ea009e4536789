"""What stands on disk: fields, modes, keys of other programs, and no half-written file."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sessions_app.folder.store import (
    BrokenFileError,
    Change,
    NotWrittenError,
    SessionFolder,
    StoredContext,
    UnsafeEntryError,
    disk,
)
from tests.session_folder import read_token

from .conftest import a_token, as_json, log_in, mode

WRITERS: dict[str, Callable[[Change, dict[str, StoredContext]], None]] = {
    "token.json": lambda change, _: change.write_token("shop", a_token()),
    "contexts.json": lambda change, contexts: change.write_contexts("shop", contexts),
}


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_folders_are_700_and_files_600_whatever_the_umask(
    folder: SessionFolder, umask: int
) -> None:
    log_in(folder, "shop")
    with folder.changing() as change:
        change.write_contexts("shop", {"a@im.wechat": StoredContext("t", 1.0)})
        change.set_default("shop")
    assert mode(folder.base) == mode(folder.base / "shop") == 0o700
    files = [path for path in folder.base.rglob("*") if path.is_file()]
    assert {path.name: mode(path) for path in files} == dict.fromkeys(
        ["token.json", "contexts.json", ".data.lock", ".default_session"], 0o600
    )


def test_token_json_has_the_fields_of_the_sdk(folder: SessionFolder) -> None:
    log_in(folder, "shop", cursor="c1")
    assert as_json(folder.base / "shop" / "token.json") == {
        "bot_id": "bot1@im.bot",
        "base_url": "https://ilinkai.weixin.qq.com",
        "token": "secret-1",
        "user_id": "owner1@im.wechat",
        "cursor": "c1",
        "created_at": 1_700_000_001.0,
    }
    assert read_token(folder, "shop") == a_token(cursor="c1")


def test_older_files_lack_user_id_cursor_and_created_at(folder: SessionFolder) -> None:
    (folder.base / "old").mkdir(parents=True)
    fields = {"bot_id": "b", "base_url": "https://x", "token": "t"}
    (folder.base / "old" / "token.json").write_text(json.dumps(fields))
    token = read_token(folder, "old")
    assert token is not None
    assert (token.user_id, token.cursor, token.created_at_s) == ("", "", 0.0)
    found = folder.scan().get("old")
    assert found is not None
    assert found.token is not None
    assert found.token.created_at_s > 1_700_000_000  # the file's own time


def test_keys_of_other_programs_stay(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    path = folder.base / "shop"
    (path / "token.json").write_text(json.dumps({**as_json(path / "token.json"), "theirs": [1]}))
    theirs = {
        "a@im.wechat": {"t": "old", "ts": 5, "sc": 3, "note": "x"},
        "b@im.wechat": {"t": "b", "ts": 6},
        "version": 7,
    }
    (path / "contexts.json").write_text(json.dumps(theirs))
    with folder.changing() as change:
        change.write_cursor("secret-1", "c9")
        change.write_contexts("shop", {"a@im.wechat": StoredContext("new", 9.0)})
    assert as_json(path / "token.json")["theirs"] == [1]
    assert as_json(path / "token.json")["cursor"] == "c9"
    assert as_json(path / "contexts.json") == {
        "a@im.wechat": {"note": "x", "t": "new", "ts": 9.0},
        "b@im.wechat": {"t": "b", "ts": 6},
        "version": 7,
    }


@pytest.mark.parametrize(
    "entry",
    [None, 7, "text", [], {}, {"t": 5}, {"t": "x", "ts": "soon", "sc": -1}, {"sc": 1e300}],
)
def test_senseless_contexts_count_as_missing(folder: SessionFolder, entry: object) -> None:
    log_in(folder, "shop")
    (folder.base / "shop" / "contexts.json").write_text(json.dumps({"a": entry}))
    context = folder.read_contexts("shop")["a"]
    assert (context.received_at_s, context.replies_used) == (0.0, 0)


def test_not_a_number_and_infinity_count_as_missing(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    path = folder.base / "shop" / "contexts.json"
    path.write_text('{"a": {"t": "x", "ts": NaN, "send_ts": Infinity, "sc": NaN}}')
    assert folder.read_contexts("shop")["a"] == StoredContext("x")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"bot_id": "b"}', b"[" * 100_000]
)
def test_a_broken_token_is_named_and_never_overwritten(
    folder: SessionFolder, content: bytes
) -> None:
    log_in(folder, "good", 2)
    broken = folder.base / "shop" / "token.json"
    broken.parent.mkdir()
    broken.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"token\.json is broken"):
        read_token(folder, "shop")
    listing = folder.scan()
    found = listing.get("shop")
    assert found is not None
    assert (found.token, found.problem) == (None, "broken_token")
    assert [one.name for one in listing.usable()] == ["good"]
    with folder.changing() as change, pytest.raises(BrokenFileError):
        change.write_token("shop", a_token())
    assert broken.read_bytes() == content


def test_broken_contexts_are_named_and_never_overwritten(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    path = folder.base / "shop" / "contexts.json"
    path.write_text('{"a": {"t":')
    with pytest.raises(BrokenFileError):
        folder.read_contexts("shop")
    with folder.changing() as change, pytest.raises(BrokenFileError):
        change.write_contexts("shop", {"a": StoredContext("t", 1.0)})
    assert path.read_text() == '{"a": {"t":'


@pytest.mark.parametrize("name", ["token.json", "contexts.json"])
def test_a_link_in_place_of_a_file_is_neither_read_nor_replaced(
    folder: SessionFolder, tmp_path: Path, name: str
) -> None:
    log_in(folder, "shop")
    outside = tmp_path / "outside.json"
    outside.write_text('{"bot_id": "b", "base_url": "u", "token": "stolen"}')
    path = folder.base / "shop" / name
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    with pytest.raises(UnsafeEntryError):
        read_token(folder, "shop") if name == "token.json" else folder.read_contexts("shop")
    contexts = {"a": StoredContext("t", 1.0)}
    with folder.changing() as change, pytest.raises(UnsafeEntryError):
        WRITERS[name](change, contexts)
    assert path.is_symlink()
    assert "stolen" in outside.read_text()


def test_a_pipe_in_place_of_a_file_blocks_nobody(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    path = folder.base / "shop" / "token.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnsafeEntryError):
        read_token(folder, "shop")


def test_a_write_that_fails_leaves_the_old_file(
    folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(folder, "shop")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with folder.changing() as change, pytest.raises(NotWrittenError, match="No space left"):
        change.write_cursor("secret-1", "c2")
    assert as_json(folder.base / "shop" / "token.json")["cursor"] == ""


def test_what_a_killed_writer_left_is_replaced_by_the_next(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    draft = folder.base / "shop" / f".token.json{disk.DRAFT_SUFFIX}"
    draft.write_text('{"half')
    with folder.changing() as change:
        change.write_cursor("secret-1", "c2")
    assert not draft.exists()
    assert as_json(folder.base / "shop" / "token.json")["cursor"] == "c2"


def test_a_new_bot_voids_the_contexts_and_keeps_who_wrote_first(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    with folder.changing() as change:
        change.write_contexts("shop", {"a": StoredContext("t", 5.0, 3, 6.0, 4.0)})
        change.write_token("shop", a_token(2))
    assert folder.read_contexts("shop")["a"] == StoredContext("", 0.0, 0, 6.0, 4.0)


def test_the_same_bot_with_a_new_token_keeps_its_contexts(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    context = StoredContext("t", 5.0, 3, 6.0, 4.0)
    with folder.changing() as change:
        change.write_contexts("shop", {"a": context})
        change.write_token("shop", a_token(1, token="secret-new"))
    assert folder.read_contexts("shop")["a"] == context
