"""The description of several sessions in one program: each of its sentences is a test's name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sessions_app import WeiLink
from sessions_app.folder.store import UnknownSessionError
from sessions_app.sdk import terminal_login

from .conftest import PERSON, InThread, World, received, texts, until


@pytest.fixture
def two(world: World) -> WeiLink:
    """`default` and `zb`, both with credentials."""
    world.bind("default")
    world.bind("zb")
    return world.open()


def test_each_session_has_independent_credentials(world: World, two: WeiLink) -> None:
    files = [json.loads((world.base / one / "token.json").read_text()) for one in world.bots]
    for field in ("token", "bot_id", "user_id"):
        assert len({file[field] for file in files}) == 2
    handle = two.sessions["zb"]
    assert (handle.bot_id, handle.name, handle.is_default) == (world.bots["zb"], "zb", False)
    assert handle.user_id
    assert handle.created_at


def test_sessions_lists_the_names_the_default_name_first(world: World, two: WeiLink) -> None:
    world.bind("alpha")
    assert list(two.sessions) == ["default", "alpha", "zb"]
    assert str(two.sessions) == "['default', 'alpha', 'zb']"
    two.set_default("zb")
    assert list(two.sessions) == ["default", "alpha", "zb"]  # the name, not the chosen one


def test_bot_ids_maps_names_to_bot_ids(world: World, two: WeiLink) -> None:
    assert two.bot_ids == world.bots
    two.logout("zb")
    assert two.bot_ids == {"default": world.bots["default"]}


def test_bot_id_is_the_default_sessions(world: World, two: WeiLink) -> None:
    assert two.bot_id == world.bots["default"]
    two.set_default("zb")
    assert two.bot_id == world.bots["zb"]
    assert world.open().bot_id == world.bots["zb"]  # another program's too
    assert two.sessions["default"].bot_id == world.bots["default"]
    with pytest.raises(ValueError, match="no session named"):
        two.set_default("nobody")


def test_is_connected_is_true_when_any_session_is(world: World) -> None:
    weilink = world.open()
    assert not weilink.is_connected
    world.bind("zb")
    assert weilink.is_connected
    assert not weilink.sessions["default"].is_connected
    weilink.logout("zb")
    assert not weilink.is_connected


def test_recv_polls_all_sessions_at_once_and_messages_carry_the_bot_id(
    world: World, two: WeiLink
) -> None:
    world.control.switches(hold_s=20)
    assert two.recv(timeout=0.3) == []
    until(lambda: world.control.polls()["now"] == 2, "two polls open at the same time")
    assert world.control.polls()["highest_of_one"] == 1
    for name in ("zb", "default"):
        world.write(name, f"to {name}")
        (message,) = received(two, 1)
        assert (message.text, message.bot_id) == (f"to {name}", world.bots[name])


def test_send_goes_through_the_session_with_the_newest_token_by_the_messages_own_time(
    world: World, two: WeiLink
) -> None:
    newest = world.write("default", "newest")
    received(two, 1)
    late = {
        **newest,
        "message_id": int(newest["message_id"]) + 1,
        "to_user_id": world.bots["zb"],
        "create_time_ms": newest["create_time_ms"] - 60_000,
        "context_token": "older, and it comes later",
    }
    world.control.inject(world.bots["zb"], [late])
    received(two, 1)
    assert two.send(PERSON, "to default").session == "default"
    world.write("zb", "newer")
    received(two, 1)
    assert two.send(PERSON, "to zb").session == "zb"
    assert (world.seen("default"), world.seen("zb")) == (["to default"], ["to zb"])


@pytest.mark.parametrize("chosen", [False, True])
def test_a_session_can_be_renamed_and_the_default_follows_its_new_name(
    world: World, two: WeiLink, chosen: bool
) -> None:
    old = "zb" if chosen else "default"
    if chosen:
        two.set_default("zb")
    two.rename_session(old, "店")
    assert two.bot_id == world.bots[old]
    assert two.sessions["店"].is_default
    assert two.bot_ids == {("店" if name == old else name): bot for name, bot in world.bots.items()}
    assert world.open().sessions["店"].is_default


def test_logging_out_one_session_leaves_the_others(world: World, two: WeiLink) -> None:
    world.write("default", "hello")
    received(two, 1)
    two.logout("zb")
    assert not (world.base / "zb" / "token.json").exists()
    assert two.sessions["default"].is_connected
    assert two.send(PERSON, "still here")
    world.write("default", "and receiving")
    assert texts(received(two, 1)) == ["and receiving"]


@pytest.mark.parametrize("default", ["default", "zb"])
def test_logout_without_a_name_logs_out_the_default(
    world: World, two: WeiLink, default: str
) -> None:
    two.set_default(default)
    two.logout()
    (left,) = {"default", "zb"} - {default}
    assert two.bot_ids == {left: world.bots[left]}


def test_a_session_is_a_folder_with_token_json_and_contexts_json(
    world: World, two: WeiLink
) -> None:
    for name in ("default", "zb"):
        world.write(name, "hello")
        received(two, 1)
    two.recv(timeout=0.1)
    for name in ("default", "zb"):
        files = {path.name for path in (world.base / name).iterdir()}
        assert files >= {"token.json", "contexts.json"}
        assert json.loads((world.base / name / "token.json").read_text())["cursor"]
        assert PERSON in json.loads((world.base / name / "contexts.json").read_text())
    two.set_default("zb")
    assert (world.base / ".default_session").read_text() == "zb"


def test_two_base_folders_are_two_applications(world: World, two: WeiLink, tmp_path: Path) -> None:
    other = world.open(base_path=tmp_path / "other")
    assert (other.is_connected, other.bot_ids, list(other.sessions)) == (False, {}, ["default"])
    two.logout("zb")
    assert two.is_connected
    assert not (tmp_path / "other").exists()


ANOTHER_PROCESS = """
import json, sys
from sessions_app import WeiLink
with WeiLink(base_path=sys.argv[1]) as weilink:
    sent = weilink.send(sys.argv[2], "from another process")
    print(json.dumps([list(weilink.sessions), weilink.bot_ids, sent.remaining]))
"""


def test_two_processes_share_one_folder(world: World, two: WeiLink) -> None:
    world.write("zb", "hello")
    received(two, 1)
    assert two.send(PERSON, "from this one").remaining == 9
    run = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, str(world.base), PERSON],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert json.loads(run.stdout) == [["default", "zb"], world.bots, 8]
    assert two.send(PERSON, "and again").remaining == 7
    assert world.replies("zb") == 3


def test_a_name_left_out_means_the_default(world: World, two: WeiLink) -> None:
    two.set_default("zb")
    assert two.login().bot_id == world.bots["zb"]  # its credentials are there: no code is drawn
    assert two.bot_id == world.bots["zb"]
    codes = len(world.control.logins())
    assert two.login(None).bot_id == world.bots["zb"]
    assert len(world.control.logins()) == codes
    two.logout(None)
    assert "zb" not in two.bot_ids


def test_default_as_a_name_means_the_session_of_that_name_and_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal_login, "POLL_PAUSE_S", 0.01)
    world.bind("zb")
    weilink = world.open()
    assert weilink.default_name == "zb"
    world.write("zb", "hello")
    received(weilink, 1)
    assert weilink.sessions["default"].bot_id is None
    for door in (
        lambda: weilink.logout("default"),
        lambda: weilink.rename_session("default", "shop"),
        lambda: weilink.set_default("default"),
        lambda: weilink.send(PERSON, "x", session="default"),
    ):
        with pytest.raises(UnknownSessionError):
            door()
    drawn = len(world.control.logins())
    login = InThread(lambda: weilink.login("default"))
    handle = until(lambda: world.control.logins()[drawn:], "a code for a new session")[0]["handle"]
    world.control.scan(handle, "Lin")
    world.control.confirm(handle)
    assert login.result().session == "default"
    assert weilink.bot_ids["zb"] == world.bots["zb"]
    assert set(weilink.bot_ids) == {"default", "zb"}


def test_the_layout_before_moves_into_default(world: World) -> None:
    world.bind("default")
    flat, kept = world.base, world.base / "default"
    for name in ("token.json",):
        (kept / name).rename(flat / name)
    (flat / "contexts.json").write_text(json.dumps({PERSON: {"t": "token", "ts": 1}}))
    kept.rmdir()
    weilink = world.open()
    assert weilink.bot_ids == world.bots
    assert not (flat / "token.json").exists()
    assert PERSON in world.folder.read_contexts("default")
    world.write("default", "hello")
    assert texts(received(weilink, 1)) == ["hello"]
