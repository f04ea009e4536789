"""Each fault, over a real loopback connection."""

import time
from typing import Any

import httpx
import pytest

from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.serve import SimulatorServer

from .conftest import BoundBot

SEND = "/ilink/bot/sendmessage"
POLL = "/ilink/bot/getupdates"


async def raw_poll(bot: BoundBot, timeout: float = 5.0) -> httpx.Response:
    return await bot.wire.client.post(
        POLL,
        json={"base_info": bot.wire.base_info, "get_updates_buf": ""},
        headers=bot.wire.post_headers(bot.token),
        timeout=timeout,
    )


@pytest.mark.parametrize("status", [500, 502, 503, 524])
async def test_a_status_is_answered_as_often_as_asked(
    bot: BoundBot, control: Control, status: int
) -> None:
    control.add_fault("status", status=status, path=POLL, times=2)
    assert [(await raw_poll(bot)).status_code for _ in range(3)] == [status, status, 200]


async def test_a_reset_breaks_the_line_without_any_effect(bot: BoundBot, control: Control) -> None:
    context = bot.hears()
    control.add_fault("reset", path=SEND)
    with pytest.raises(httpx.ReadError):
        await bot.says("never", context)
    assert control.sends() == []
    assert (await bot.says("now", context))["ret"] == 0


async def test_a_lost_answer_took_effect(bot: BoundBot, control: Control) -> None:
    context = bot.hears()
    control.add_fault("lost", path=SEND)
    with pytest.raises(httpx.ReadError):
        await bot.says("arrived", context)
    assert bot.seen == ["arrived"]


async def test_a_slow_answer_comes_late_and_whole(bot: BoundBot, control: Control) -> None:
    context = bot.hears()
    control.add_fault("slow", path=SEND, delay_s=0.3)
    started = time.monotonic()
    assert (await bot.says("late", context))["ret"] == 0
    assert time.monotonic() - started >= 0.3


async def test_a_dripping_answer_comes_byte_by_byte(bot: BoundBot, control: Control) -> None:
    bot.hears()
    control.add_fault("drip", path=POLL, delay_s=0.001)
    assert len((await raw_poll(bot)).json()["msgs"]) == 1
    control.add_fault("drip", path=POLL, delay_s=5.0)
    with pytest.raises(httpx.ReadTimeout):
        await raw_poll(bot, timeout=0.3)


async def test_an_endless_body_goes_on_until_the_client_leaves(
    bot: BoundBot, control: Control
) -> None:
    control.add_fault("endless", path=POLL)
    size = 0
    headers = bot.wire.post_headers(bot.token)
    async with bot.wire.client.stream("POST", POLL, json={}, headers=headers) as response:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > 5_000_000:
                break
    assert (await raw_poll(bot)).json()["ret"] == 0


@pytest.mark.parametrize("kind", ["bad_json", "cut_json", "html", "empty"])
async def test_what_is_no_json_comes_with_200(bot: BoundBot, control: Control, kind: str) -> None:
    bot.hears()
    control.add_fault(kind, path=POLL)
    response = await raw_poll(bot)
    assert response.status_code == 200
    with pytest.raises(ValueError):
        response.json()


async def test_a_cut_body_breaks_off_in_the_middle(bot: BoundBot, control: Control) -> None:
    bot.hears("half of this arrives")
    control.add_fault("cut_body", path=POLL)
    received = b""
    with pytest.raises(httpx.TransportError):  # noqa: PT012 the half that came is looked at too
        async with bot.wire.client.stream(
            "POST",
            POLL,
            json={"base_info": bot.wire.base_info, "get_updates_buf": ""},
            headers=bot.wire.post_headers(bot.token),
        ) as response:
            async for chunk in response.aiter_raw():
                received += chunk
    assert received.startswith(b'{"ret": 0, "msgs": [{')


async def test_a_given_body_is_answered_as_it_is(bot: BoundBot, control: Control) -> None:
    control.add_fault("body", path=POLL, body='{"msgs": 7}', status=201)
    response = await raw_poll(bot)
    assert (response.status_code, response.text) == (201, '{"msgs": 7}')


@pytest.mark.parametrize("code", [{"ret": -1}, {"errcode": -14}, {"ret": -2, "errcode": 9}])
async def test_any_code_can_be_answered(
    bot: BoundBot, control: Control, code: dict[str, Any]
) -> None:
    control.add_fault("ret", path=POLL, errmsg="busy", **code)
    assert (await raw_poll(bot)).json() == {"errmsg": "busy", **code}


async def test_a_fault_hits_its_path_and_token_only(bot: BoundBot, control: Control) -> None:
    other = control.bind("Guo")
    control.add_fault("status", path="/ilink/bot/get*", token=other["token"], times=None)
    assert (await raw_poll(bot)).status_code == 200
    for _ in range(2):
        with pytest.raises(httpx.HTTPStatusError):
            await bot.wire.updates(other["token"])
    assert (await bot.wire.post("msg/notifystart", other["token"]))["ret"] == 0
    assert control.faults()[0]["hits"] == 2
    control.clear_faults()
    assert (await bot.wire.updates(other["token"]))["ret"] == 0


async def test_the_cdn_can_be_ill_and_the_page_never_is(bot: BoundBot, control: Control) -> None:
    control.add_fault("status", times=None)
    assert (await bot.wire.client.get("/c2c/download")).status_code == 502
    assert (await bot.wire.client.get("/simulator/")).status_code == 200


async def test_all_connections_can_be_cut_at_once(bot: BoundBot, server: SimulatorServer) -> None:
    assert (await raw_poll(bot)).status_code == 200
    assert server.cut_connections() == 1
    assert (await raw_poll(bot)).status_code == 200
