"""What the public SDK's README shows, line by line, and the folders that older versions left."""

import json
from pathlib import Path

import pytest

from .conftest import PERSON, World, received

TOKEN = {"bot_id": "b@im.bot", "base_url": "https://ilinkai.weixin.qq.com", "token": "t"}


def test_the_quick_start_runs_line_by_line(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEILINK_BASE_PATH", str(world.base))
    world.bind("default")
    world.write("default", "在吗")

    from sessions_app import WeiLink

    wl = WeiLink()
    wl.login()
    messages = wl.recv()
    for msg in messages:
        print(f"{msg.from_user}: {msg.text}")
    assert wl.send(msg.from_user, "收到！")
    wl.close()

    assert capsys.readouterr().out == f"{PERSON}: 在吗\n"
    assert world.seen("default") == ["收到！"]


def test_every_method_of_its_table_is_there(world: World) -> None:
    world.bind("default")
    wl = world.open()
    assert wl.login(force=False).bot_id == wl.bot_id
    assert wl.is_connected is True
    world.write("default", "picture", kind="image")
    (message,) = received(wl, 1)
    assert wl.download(message)
    wl.send_typing(PERSON)
    wl.stop_typing(PERSON)
    result = wl.send(
        PERSON, "text", image=b"i", voice=b"v", file=b"f", video=b"m", file_name="f.txt"
    )
    assert bool(result) is True
    assert result.remaining == 5
    assert wl.send(PERSON, "after a look", auto_recv=True).messages == []


def test_the_flat_folder_before_0_5_moves_and_works(world: World) -> None:
    world.bind("default")
    for name in ("token.json",):
        (world.base / "default" / name).rename(world.base / name)
    (world.base / "default").rmdir()
    world.write("default", "still here")
    wl = world.open()
    assert list(wl.sessions) == ["default"]
    assert (world.base / "default" / "token.json").exists()
    assert received(wl, 1)[0].text == "still here"


def test_old_code_may_name_the_token_file(world: World) -> None:
    world.bind("default")
    flat = world.base / "token.json"
    (world.base / "default" / "token.json").rename(flat)
    wl = world.open(token_path=flat)
    assert wl.bot_id == world.bots["default"]
    assert world.open(token_path=str(flat)).bot_id == wl.bot_id


def test_old_code_may_give_the_token_file_a_name_of_its_own(world: World, tmp_path: Path) -> None:
    world.bind("default")
    mine = tmp_path / "mine" / "bot.json"
    mine.parent.mkdir()
    (world.base / "default" / "token.json").rename(mine)
    world.write("default", "hello")
    wl = world.open(token_path=mine)
    assert received(wl, 1)[0].text == "hello"
    assert wl.send(PERSON, "answer").remaining == 9
    wl.close()
    assert json.loads(mine.read_text())["cursor"]
    assert PERSON in json.loads((mine.parent / "contexts.json").read_text())
    assert not (mine.parent / "default").exists()


def test_the_environment_names_the_folder(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = tmp_path / "elsewhere"
    (base / "shop").mkdir(parents=True)
    (base / "shop" / "token.json").write_text(json.dumps(TOKEN))
    monkeypatch.setenv("WEILINK_BASE_PATH", str(base))

    from sessions_app import WeiLink

    with WeiLink() as wl:
        assert wl.bot_ids == {"shop": "b@im.bot"}
