"""The scripted people: who they are, that they begin by themselves and react to replies."""

import threading

import pytest

from sessions_app.simulator.serve import SimulatorServer
from sessions_app.simulator.state.people import PEOPLE, SCRIPTED_NAMES

from .conftest import BoundBot, Wire, until


def test_people_have_fixed_distinct_ids_and_both_languages() -> None:
    assert len(SCRIPTED_NAMES) == len(PEOPLE) >= 10
    assert all(user_id.endswith("@im.wechat") for user_id in SCRIPTED_NAMES)
    assert {"李娜", "王师傅", "Tom Baker", "陈先生", "赵丽", "Anna 安娜"} <= set(
        SCRIPTED_NAMES.values()
    )
    kinds = {line.kind for person in PEOPLE for line in (*person.opening, *person.reactions)}
    assert kinds == {"text", "image", "voice", "file", "video"}


async def test_they_write_within_about_a_second_after_a_confirmed_login(
    server: SimulatorServer, wire: Wire
) -> None:
    server.control.switches(scripts_on=True)
    bot = server.control.bind("Lin")
    await until(lambda: server.control.bot(bot["bot_id"])["waiting"], within_s=2.0)
    [first, *_] = (await wire.updates(bot["token"]))["msgs"]
    assert first["from_user_id"] in SCRIPTED_NAMES


async def test_they_react_to_a_reply(server: SimulatorServer, bot: BoundBot) -> None:
    server.control.switches(scripts_on=True)
    person = next(p for p in PEOPLE if p.name == "刘洋")
    written = server.control.write(bot.bot_id, person.user_id, "在吗")
    await bot.says("在的", written["context_token"], to_user_id=person.user_id)
    await until(lambda: server.control.bot(bot.bot_id)["updates"] == 2, within_s=8.0)
    bubbles = server.control.chat(bot.bot_id, person.user_id)["bubbles"]
    assert bubbles[-1]["text"] == person.reactions[0].text


@pytest.mark.parametrize("on", [True, False])
async def test_the_switch_decides_whether_they_write(server: SimulatorServer, on: bool) -> None:
    server.control.switches(scripts_on=on)
    bot = server.control.bind("Lin")
    if on:
        await until(lambda: server.control.bot(bot["bot_id"])["updates"])
    else:
        assert "scripted people" not in _threads()


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]
