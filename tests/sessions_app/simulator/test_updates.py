"""getupdates: holding, cursors in both modes, batches, counting polls, odd messages."""

import asyncio
import time

import httpx
import pytest

from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.serve import SimulatorServer

from .conftest import PERSON, BoundBot, until


async def test_an_empty_poll_is_held_and_tells_how_long(bot: BoundBot) -> None:
    started = time.monotonic()
    answer = await bot.polls()
    assert time.monotonic() - started >= 0.3
    assert answer == {
        "ret": 0,
        "msgs": [],
        "get_updates_buf": "",
        "longpolling_timeout_ms": 300,
    }


async def test_the_timeout_is_told_only_with_its_switch(bot: BoundBot, control: Control) -> None:
    control.switches(tells_hold=False)
    assert "longpolling_timeout_ms" not in await bot.polls()


async def test_a_message_answers_a_held_poll_at_once(bot: BoundBot, control: Control) -> None:
    control.switches(hold_s=20.0)
    poll = asyncio.create_task(bot.polls())
    await until(lambda: control.bot(bot.bot_id)["polls"]["now"])
    context = bot.hears("你好")
    [message] = (await asyncio.wait_for(poll, 2))["msgs"]
    assert message["item_list"][0]["text_item"] == {"text": "你好"}
    assert (message["from_user_id"], message["message_type"]) == (PERSON, 1)
    assert message["context_token"] == context
    assert 7_400_000_000_000_000_000 < message["message_id"] < 2**63


async def test_replay_brings_the_unacknowledged_again(bot: BoundBot) -> None:
    bot.hears("one")
    first = await bot.polls()
    bot.hears("two")
    again = await bot.polls()
    onwards = await bot.polls(first["get_updates_buf"])
    assert [len(answer["msgs"]) for answer in (first, again, onwards)] == [1, 2, 1]
    assert again["msgs"][0] == first["msgs"][0]


async def test_consumed_brings_nothing_twice_whatever_the_cursor(
    bot: BoundBot, control: Control
) -> None:
    control.switches(cursor_mode="consumed")
    bot.hears("one")
    assert len((await bot.polls())["msgs"]) == 1
    bot.hears("two")
    [second] = (await bot.polls())["msgs"]
    assert second["item_list"][0]["text_item"]["text"] == "two"


async def test_one_answer_holds_at_most_the_batch_limit_in_order(
    bot: BoundBot, control: Control
) -> None:
    control.write_bulk([bot.bot_id], count=120, people=7)
    cursor, numbers = "", []
    for expected in (50, 50, 20):
        answer = await bot.polls(cursor)
        assert len(answer["msgs"]) == expected
        numbers += [m["item_list"][0]["text_item"]["text"] for m in answer["msgs"]]
        cursor = answer["get_updates_buf"]
    assert numbers == [f"message {n}" for n in range(1, 121)]


async def test_a_foreign_cursor_counts_as_none_and_is_recorded(
    bot: BoundBot, control: Control
) -> None:
    bot.hears()
    for cursor in ("nonsense", "MXxvdGhlckBpbS5ib3Q="):
        assert len((await bot.polls(cursor))["msgs"]) == 1
    assert control.violations()["counts"] == {"get_updates_buf is not ours": 2}


async def test_polls_are_counted_per_token(bot: BoundBot, control: Control) -> None:
    control.switches(hold_s=20.0)
    polls = [asyncio.create_task(bot.polls()) for _ in range(2)]
    await until(lambda: control.polls()["now"] == 2)
    bot.hears()
    await asyncio.gather(*polls)
    counted = control.polls()["by_bot"][bot.bot_id]
    assert (counted["highest"], counted["total"]) == (2, 2)
    await until(lambda: control.polls()["now"] == 0)


async def test_a_client_that_goes_away_consumes_nothing(bot: BoundBot, control: Control) -> None:
    control.switches(cursor_mode="consumed", hold_s=20.0)
    with pytest.raises(httpx.ReadTimeout):
        await bot.wire.client.post(
            "/ilink/bot/getupdates",
            json={"base_info": bot.wire.base_info, "get_updates_buf": ""},
            headers=bot.wire.post_headers(bot.token),
            timeout=0.3,
        )
    await until(lambda: control.polls()["now"] == 0)
    bot.hears("kept")
    assert len((await bot.polls())["msgs"]) == 1


async def test_injected_values_come_unchanged(bot: BoundBot, control: Control) -> None:
    values = [
        {"message_id": 2**63 + 5, "item_list": [{"type": 77, "odd_item": {}}]},
        {"item_list": [{"type": 1, "text_item": {"text": "nul \x00 and \ud83d alone"}}]},
        {},
        None,
        "not even an object",
    ]
    control.inject(bot.bot_id, values)
    assert (await bot.polls())["msgs"] == values


async def test_a_token_of_an_injected_update_can_be_answered(
    bot: BoundBot, control: Control
) -> None:
    control.inject(bot.bot_id, [{"from_user_id": PERSON, "context_token": "ctx-injected"}])
    assert (await bot.says("yes", "ctx-injected"))["ret"] == 0
    assert bot.seen == ["yes"]


async def test_the_same_message_may_come_twice_with_another_token(
    bot: BoundBot, control: Control
) -> None:
    bot.hears("once")
    control.repeat_last(bot.bot_id, PERSON)
    first, second = (await bot.polls())["msgs"]
    assert first["message_id"] == second["message_id"]
    assert first["context_token"] != second["context_token"]


async def test_a_thousand_bots_poll_at_once_and_all_hear(
    server: SimulatorServer, control: Control
) -> None:
    control.switches(hold_s=60.0)
    owners = [control.add_account(f"Owner {n}")["user_id"] for n in range(1000)]
    bots = [control.bind(owner, notified=True) for owner in owners]
    answers: list[str] = []

    async def poll(token: str) -> None:
        body = b'{"base_info":{"channel_version":"1.0.0","bot_agent":"T/1.0.0"}}'
        reader, writer = await asyncio.open_connection(server.host, server.port)
        head = (
            f"POST /ilink/bot/getupdates HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nAuthorizationType: ilink_bot_token\r\n"
            "X-WECHAT-UIN: MTIz\r\niLink-App-Id: bot\r\niLink-App-ClientVersion: 1\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answers.append((await reader.read()).decode())
        writer.close()

    polls = [asyncio.create_task(poll(bot["token"])) for bot in bots]
    await until(lambda: control.polls()["now"] == 1000, within_s=30)
    control.write_bulk([bot["bot_id"] for bot in bots], count=2000)
    await asyncio.wait_for(asyncio.gather(*polls), 30)
    assert sum('"message ' in answer for answer in answers) == 1000
