"""Sessions in Python: the mapping, renaming, logging out, the default, and names on every door."""

import json
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable

import pytest

from sessions_app import WeiLink
from tests.session_folder import read_token
from tests.session_names import BAD, CLASHES, FINE, SURROGATE

from .conftest import PERSON, World, received, texts, until

UNSAFE = [*BAD, SURROGATE]


def test_default_is_always_there_and_first_and_it_prints_as_a_list(world: World) -> None:
    weilink = world.open()
    assert list(weilink.sessions) == ["default"]
    assert not weilink.sessions["default"].is_connected
    world.bind("alpha")
    world.bind("zb")
    assert str(weilink.sessions) == "['default', 'alpha', 'zb']"
    assert len(weilink.sessions) == 3
    assert "zb" in weilink.sessions
    assert "nobody" not in weilink.sessions
    with pytest.raises(KeyError):
        weilink.sessions["../zb"]


def test_a_rename_keeps_everything_and_works_while_polling(world: World) -> None:
    world.control.switches(hold_s=20)
    world.bind("default")
    weilink = world.open()
    world.write("default", "before")
    received(weilink, 1)
    assert weilink.send(PERSON, "one").remaining == 9
    assert weilink.recv(timeout=0.2) == []
    assert world.control.polls()["now"] == 1
    weilink.rename_session("default", "店")
    assert list(weilink.sessions) == ["default", "店"]
    assert weilink.bot_id == world.bots["default"]  # it is the default still
    assert weilink.send(PERSON, "two").session == "店"
    world.write("default", "during")
    assert texts(received(weilink, 1)) == ["during"]
    weilink.recv(timeout=0.1)
    assert not (world.base / "default").exists()
    assert json.loads((world.base / "店" / "token.json").read_text())["cursor"]
    assert PERSON in world.folder.read_contexts("店")
    assert world.control.polls()["highest_of_one"] == 1


def test_a_rename_by_another_process_is_followed(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    world.write("default", "one")
    received(weilink, 1)
    world.open().rename_session("default", "zb")
    weilink.recv(timeout=0.1)
    assert read_token(world.folder, "default") is None
    assert world.cursor("zb")
    world.write("default", "two")
    assert texts(received(weilink, 1)) == ["two"]


def test_after_a_logout_a_poll_in_flight_brings_its_messages_and_not_the_session(
    world: World,
) -> None:
    world.control.switches(hold_s=20)
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    assert weilink.recv(timeout=0.3) == []
    until(lambda: world.control.polls()["now"] == 2, "both polls")
    weilink.logout("zb")
    assert world.control.requests()["/ilink/bot/msg/notifystop"] == 1
    world.write("zb", "too late?")
    assert texts(received(weilink, 1)) == ["too late?"]
    weilink.recv(timeout=0.2)
    weilink.close()
    assert not (world.base / "zb").exists()
    assert list(world.open().sessions) == ["default"]


def test_a_logout_forgets_contexts_and_others_stay(world: World) -> None:
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    for name in ("default", "zb"):
        world.write(name)
        received(weilink, 1)
    weilink.sessions["zb"].logout()
    assert weilink.send(PERSON, "by the other one").session == "default"
    with pytest.raises(ValueError, match="no session named"):
        weilink.logout("zb")
    assert weilink.sessions["default"].is_connected


def test_a_folder_that_an_sdk_writes_back_is_no_session(world: World) -> None:
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    shutil.copytree(world.base / "zb", world.base.parent / "kept")
    weilink.rename_session("zb", "shop")
    shutil.copytree(world.base.parent / "kept", world.base / "zb")
    assert sorted(weilink.bot_ids) == ["default", "shop"]
    assert "wrote this folder back" in weilink.sessions["zb"].problem
    weilink.recv(timeout=0.4)
    # The polls stay open behind recv(): on a busy machine they begin later.
    assert until(lambda: world.control.polls()["highest_of_one"], "a poll") == 1


DOORS: dict[str, Callable[[WeiLink, str], object]] = {
    "login": lambda weilink, name: weilink.login(name),
    "logout": lambda weilink, name: weilink.logout(name),
    "rename from": lambda weilink, name: weilink.rename_session(name, "fine"),
    "rename to": lambda weilink, name: weilink.rename_session("shop", name),
    "set_default": lambda weilink, name: weilink.set_default(name),
    "handle rename": lambda weilink, name: weilink.sessions["shop"].rename(name),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_an_unsafe_name_is_a_value_error_on_every_door(
    world: World, door: Callable[[WeiLink, str], object]
) -> None:
    world.bind("shop")
    weilink = world.open()
    before = sorted(world.base.parent.rglob("*"))
    for name in UNSAFE:
        with pytest.raises(ValueError):
            door(weilink, name)
    assert {*world.base.parent.rglob("*")} - {*before} <= {world.base / ".data.lock"}


@pytest.mark.parametrize("name", ["default", "Default", "SHOP", "Other"])
def test_names_that_clash_are_refused(world: World, name: str) -> None:
    world.bind("shop")
    world.bind("other")
    weilink = world.open()
    with pytest.raises(ValueError):
        weilink.rename_session("other" if name == "SHOP" else "shop", name)
    assert sorted(weilink.bot_ids) == ["other", "shop"]


@pytest.mark.parametrize(("there", "clash"), CLASHES, ids=ascii)
def test_a_clash_is_a_value_error_for_logins_and_renames(
    world: World, there: str, clash: str
) -> None:
    world.bind(there := unicodedata.normalize("NFC", there))
    world.bind("other")
    weilink = world.open()
    with pytest.raises(ValueError, match=there):
        weilink.login(clash)
    with pytest.raises(ValueError, match=there):
        weilink.rename_session("other", clash)
    assert set(weilink.bot_ids) == {there, "other"}


@pytest.mark.parametrize("name", FINE, ids=ascii)
def test_names_of_any_script_are_fine(world: World, name: str) -> None:
    world.bind("shop")
    weilink = world.open()
    weilink.rename_session("shop", name)
    world.write("shop", "hello")
    assert texts(received(weilink, 1)) == ["hello"]
    assert weilink.send(PERSON, "answer")


def test_it_works_without_django_and_without_settings(world: World) -> None:
    world.bind("default")
    script = (
        "import sys; from sessions_app import WeiLink;"
        "w = WeiLink(base_path=sys.argv[1]); w.recv(timeout=0.2); print(w.sessions); w.close();"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'channels', 'asgiref')])"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(world.base)],
        capture_output=True, text=True, timeout=30, check=False, cwd="/",
    )  # fmt: skip
    assert (run.stdout, run.stderr) == ("['default']\n[]\n", "")


def test_loading_the_app_loads_nothing_of_the_api() -> None:
    script = (
        "import sys, sessions_app; print([m for m in sys.modules if m.startswith('sessions_app')])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "['sessions_app']\n"
