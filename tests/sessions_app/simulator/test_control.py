"""The control interface over HTTP: the same as the object, and closed to other sites' pages."""

import json
from typing import Any

import httpx
import pytest

from sessions_app.simulator.control.panel import Control

from .conftest import PERSON, BoundBot, Wire, texts

AT = "/simulator/control/"


async def do(wire: Wire, verb: str, **values: Any) -> httpx.Response:
    return await wire.client.post(AT + verb, json=values)


async def test_a_test_in_another_process_can_do_all_of_a_day(wire: Wire) -> None:
    handle = (await wire.draw())["qrcode"]
    await do(wire, "scan", handle=handle, account="Mei")
    bot = (await do(wire, "confirm", handle=handle)).json()
    await wire.post("msg/notifystart", bot["token"])
    written = (await do(wire, "write", bot_id=bot["bot_id"], person_id=PERSON, text="在吗")).json()
    await wire.send(bot["token"], "在的", written["context_token"])
    query = {"bot_id": bot["bot_id"], "person_id": PERSON}
    assert (await wire.client.get(AT + "seen", params=query)).json() == ["在的"]
    assert len((await wire.client.get(AT + "sends", params={"outcome": "shown"})).json()) == 1
    assert (await wire.client.get(AT + "requests")).json()["/ilink/bot/sendmessage"] == 1
    await do(wire, "end_bot", bot_id=bot["bot_id"])
    assert (await wire.updates(bot["token"]))["errcode"] == -14


async def test_bulk_writes_numbered_texts(wire: Wire, bot: BoundBot, control: Control) -> None:
    control.switches(batch_limit=1000)
    ids = (await do(wire, "write_bulk", bots=[bot.bot_id], count=600, people=3, prefix="n")).json()
    answer = await bot.polls()
    assert [str(message["message_id"]) for message in answer["msgs"]] == ids
    assert texts(answer) == [f"n {number}" for number in range(1, 601)]
    assert len({message["from_user_id"] for message in answer["msgs"]}) == 3


async def test_lone_surrogates_survive_the_way_in_and_out(wire: Wire, bot: BoundBot) -> None:
    body = json.dumps({"bot_id": bot.bot_id, "values": [{"odd": "\x00\udc00", "big": 2**70}]})
    headers = {"Content-Type": "application/json"}
    await wire.client.post(AT + "inject", content=body, headers=headers)
    assert (await bot.polls())["msgs"] == [{"odd": "\x00\udc00", "big": 2**70}]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_another_sites_page_can_send_is_refused(
    wire: Wire, bot: BoundBot, control: Control, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = await wire.client.post(AT + "reset", content=b"{}", headers=headers)
    assert response.status_code == 415
    assert control.bot(bot.bot_id)["alive"]


@pytest.mark.parametrize(
    ("verb", "values", "status"),
    [
        ("confirm", {"handle": "none"}, 404),
        ("scan", {"handle": "none", "account": "Nobody"}, 404),
        ("switches", {"cursor_mode": "sometimes"}, 422),
        ("switches", {"hold_s": -1}, 422),
        ("switches", {"no_such": 1}, 422),
        ("add_fault", {"kind": "boredom"}, 422),
        ("add_fault", {"kind": "reset", "sauce": 1}, 422),
        ("advance", {"seconds": "a day"}, 422),
        ("write", {"bot_id": "none@im.bot", "person_id": PERSON, "text": "x"}, 404),
        ("write", {"nonsense": 1}, 422),
    ],
)
async def test_wrong_calls_say_what_is_wrong(
    wire: Wire, verb: str, values: dict[str, Any], status: int
) -> None:
    response = await do(wire, verb, **values)
    assert response.status_code == status
    assert response.json()["error"]


async def test_wrong_switches_change_nothing(wire: Wire, control: Control) -> None:
    await do(wire, "switches", strict=True, batch_limit="many")
    assert control.switches()["strict"] is False


async def test_what_can_not_be_done_now_is_a_conflict(wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    assert (await do(wire, "confirm", handle=handle)).status_code == 409
    control.expire(handle)
    assert (await do(wire, "scan", handle=handle, account="Lin")).status_code == 409


async def test_reset_starts_afresh(bot: BoundBot, control: Control) -> None:
    control.switches(strict=True)
    control.advance(60)
    control.reset()
    assert control.bots() == []
    assert control.switches()["strict"] is False
    assert control.clock()["offset_s"] == 0
    assert (await bot.polls())["errcode"] == -14


async def test_state_is_held_until_something_changes(wire: Wire, control: Control) -> None:
    version = (await wire.client.get(AT + "state")).json()["version"]
    control.add_account("Nina")
    state = (await wire.client.get(AT + "state", params={"version": version})).json()
    assert "Nina" in [account["name"] for account in state["accounts"]]
    assert "token" not in json.dumps(state)
