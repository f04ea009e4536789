"""The state file: a simulator that is stopped and started again keeps its bots bound."""

import json
from pathlib import Path

import httpx

from sessions_app.simulator.serve import SimulatorServer

from .conftest import PERSON, Wire, texts, until


async def test_bots_contexts_messages_and_clock_come_back(tmp_path: Path) -> None:
    file = tmp_path / "state" / "wechat.json"
    with SimulatorServer(state_file=file, hold_s=0.2) as before:
        bot = before.control.bind("Mei", notified=True)
        written = before.control.write(bot["bot_id"], PERSON, "still there?")
        before.control.write(bot["bot_id"], PERSON, "", kind="image")
        before.control.advance(3600)
        before.control.switches(echoes_bot_messages=True)
    with SimulatorServer(state_file=file, hold_s=0.2) as after:
        assert after.control.clock()["offset_s"] == 3600
        assert after.control.switches()["echoes_bot_messages"]
        assert after.control.accounts()[2]["bot_id"] == bot["bot_id"]
        async with httpx.AsyncClient(base_url=after.url, trust_env=False) as client:
            wire = Wire(client)
            text, picture = (await wire.updates(bot["token"]))["msgs"]
            media = picture["item_list"][0]["image_item"]["media"]
            assert (await client.get(media["full_url"])).status_code == 200
            answer = await wire.send(bot["token"], "yes", picture["context_token"])
        assert text["message_id"] == written["message_id"]
        assert int(answer["message_id"]) > written["message_id"]
        picture_shown = after.control.chat(bot["bot_id"], PERSON)["bubbles"][1]
        assert after.control.media(picture_shown["media"]).startswith(b"\x89PNG")


async def test_a_change_is_saved_soon_without_being_asked(tmp_path: Path) -> None:
    file = tmp_path / "wechat.json"
    with SimulatorServer(state_file=file) as server:
        server.control.bind("Lin")
        saved = await until(lambda: file.is_file() and json.loads(file.read_text())["bots"])
        assert saved[0]["account_id"].endswith("@im.wechat")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_what_was_acknowledged_does_not_come_again_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "wechat.json"
    with SimulatorServer(state_file=file, hold_s=0.2) as before:
        bot = before.control.bind("Lin", notified=True)
        before.control.write(bot["bot_id"], PERSON, "one")
        async with httpx.AsyncClient(base_url=before.url, trust_env=False) as client:
            cursor = (await Wire(client).updates(bot["token"]))["get_updates_buf"]
    with SimulatorServer(state_file=file, hold_s=0.2) as after:
        after.control.write(bot["bot_id"], PERSON, "two")
        async with httpx.AsyncClient(base_url=after.url, trust_env=False) as client:
            assert texts(await Wire(client).updates(bot["token"], cursor)) == ["two"]
