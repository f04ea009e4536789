"""sendmessage: form, tokens, ten replies, 24 hours, length, pace, silent connects, records."""

from typing import Any

import pytest

from sessions_app.simulator.control.panel import Control

from .conftest import PERSON, BoundBot


def outcomes(control: Control) -> list[str]:
    return [record["outcome"] for record in control.sends()]


async def test_a_reply_is_shown_and_answered_with_a_decimal_id(
    bot: BoundBot, control: Control
) -> None:
    answer = await bot.says("您好", bot.hears())
    assert answer["ret"] == 0
    assert answer["message_id"].isdigit()
    assert bot.seen == ["您好"]


@pytest.mark.parametrize(
    ("switches", "expected"),
    [({"gives_message_ids": False}, {"ret": 0}), ({"answers_empty_object": True}, {})],
)
async def test_older_servers_answer_without_an_id(
    bot: BoundBot, control: Control, switches: dict[str, bool], expected: dict[str, int]
) -> None:
    control.switches(**switches)
    assert await bot.says("hi", bot.hears()) == expected
    assert bot.seen == ["hi"]


@pytest.mark.parametrize(
    "changes",
    [
        {"item_list": []},
        {"item_list": [{"type": 1, "text_item": {"text": "a"}}] * 2},
        {"item_list": [{"type": 9}]},
        {"item_list": [{"type": 1, "text_item": {"text": ""}}]},
        {"message_type": 1},
        {"message_state": 0},
        {"from_user_id": "me@im.bot"},
        {"client_id": ""},
        {"to_user_id": None},
    ],
)
async def test_a_badly_formed_message_is_a_bad_request(
    bot: BoundBot, control: Control, changes: dict[str, Any]
) -> None:
    assert (await bot.says("x", bot.hears(), **changes))["ret"] == -1
    assert outcomes(control) == ["refused"]


async def test_an_unknown_token_is_an_expired_session(bot: BoundBot) -> None:
    assert (await bot.wire.send("dead", "hi", bot.hears()))["errcode"] == -14


async def test_only_the_newest_token_is_good_and_a_new_one_brings_new_replies(
    bot: BoundBot, control: Control
) -> None:
    control.switches(pace_on=False)
    old, new = bot.hears(), bot.hears()
    assert (await bot.says("stale", old))["ret"] == -2
    answers = [(await bot.says(str(n), new))["ret"] for n in range(11)]
    assert answers == [0] * 10 + [-2]
    assert control.sends(outcome="refused")[-1]["errmsg"] == "rate limited"
    assert (await bot.says("fresh", bot.hears()))["ret"] == 0


async def test_older_tokens_are_good_with_the_switch(bot: BoundBot, control: Control) -> None:
    control.switches(only_newest_token=False)
    old = bot.hears()
    bot.hears()
    assert (await bot.says("late", old))["ret"] == 0


async def test_a_token_belongs_to_its_bot_and_person(bot: BoundBot, control: Control) -> None:
    context = bot.hears()
    other = control.bind("Guo", notified=True)
    control.write(other["bot_id"], PERSON, "hello")
    assert (await bot.wire.send(other["token"], "x", context))["ret"] == -2
    assert (await bot.says("x", context, to_user_id="stranger@im.wechat"))["ret"] == -2


async def test_after_a_day_replies_are_dropped_without_an_error(
    bot: BoundBot, control: Control
) -> None:
    context = bot.hears()
    control.advance(24 * 3600 - 60)
    assert "message_id" in await bot.says("in time", context)
    control.advance(61)
    assert await bot.says("too late", context) == {"ret": 0}
    assert bot.seen == ["in time"]
    control.switches(dropped_gives_id=True)
    assert "message_id" in await bot.says("too late", context)
    assert outcomes(control) == ["shown", "dropped_window", "dropped_window"]


async def test_text_is_limited_in_bytes(bot: BoundBot) -> None:
    context = bot.hears()
    assert (await bot.says("文" * 5461 + "a", context))["ret"] == 0
    assert (await bot.says("文" * 5461 + "ab", context))["ret"] == -2


async def test_twelve_calls_in_five_minutes_to_one_person_refused_ones_count(
    bot: BoundBot, control: Control
) -> None:
    context = bot.hears()
    for _ in range(6):
        await bot.says("stale", "wrong token")
    answers = [(await bot.says("x", context))["ret"] for _ in range(7)]
    assert answers == [0] * 6 + [-2]
    assert control.sends()[-1]["why"] == "12 calls in 300 s"
    control.advance(299)
    assert (await bot.says("x", context))["ret"] == -2
    control.advance(300)
    assert (await bot.says("x", context))["ret"] == 0


async def test_without_notifystart_only_the_first_reply_is_shown(
    bot: BoundBot, control: Control
) -> None:
    silent = control.bind("Guo")
    context = control.write(silent["bot_id"], PERSON, "hi")["context_token"]
    answers = [await bot.wire.send(silent["token"], str(n), context) for n in range(2)]
    assert ["message_id" in answer for answer in answers] == [True, False]
    await bot.wire.post("msg/notifystart", silent["token"])
    await bot.wire.send(silent["token"], "heard", context)
    await bot.wire.send(silent["token"], "heard again", context)
    assert control.seen(silent["bot_id"], PERSON) == ["0", "heard", "heard again"]


async def test_without_the_app_headers_only_the_first_reply_is_shown(bot: BoundBot) -> None:
    context = bot.hears()
    bot.wire.app_headers = {}
    for word in ("first", "second"):
        await bot.says(word, context)
    assert bot.seen == ["first"]


async def test_a_poll_after_notifystop_is_a_silent_connect(bot: BoundBot, control: Control) -> None:
    context = bot.hears()
    await bot.wire.post("msg/notifystop", bot.token)
    for word in ("still", "arrives"):
        await bot.says(word, context)
    await bot.polls()
    for word in ("first", "lost"):
        await bot.says(word, context)
    assert bot.seen == ["still", "arrives", "first"]


async def test_every_call_is_recorded_so_that_duplicates_can_be_counted(
    bot: BoundBot, control: Control
) -> None:
    context = bot.hears()
    for _ in range(2):
        await bot.says("twice", context, client_id="same")
    assert len(control.sends(client_id="same")) == 2
    assert bot.seen == ["twice", "twice"]


async def test_a_bots_message_is_echoed_with_the_switch(bot: BoundBot, control: Control) -> None:
    control.switches(echoes_bot_messages=True)
    context = bot.hears()
    sent = await bot.says("echo", context, client_id="mine")
    echo = (await bot.polls())["msgs"][1]
    assert (echo["message_type"], echo["client_id"]) == (2, "mine")
    assert str(echo["message_id"]) == sent["message_id"]


async def test_quotes_go_both_ways(bot: BoundBot, control: Control) -> None:
    context = bot.hears("which colour?")
    asked = (await bot.polls())["msgs"][0]["item_list"][0]["msg_id"]
    quote = {"message_item": {"type": 1, "msg_id": asked}}
    item = {"type": 1, "text_item": {"text": "blue"}, "ref_msg": quote}
    answered = (await bot.says("", context, item=item))["message_id"]
    bot.hears("yes", quote_of=answered)
    shown = control.chat(bot.bot_id, PERSON)["bubbles"]
    assert [bubble["quote"] for bubble in shown] == ["", "which colour?", "blue"]
    [_, message] = (await bot.polls())["msgs"]
    assert message["item_list"][0]["ref_msg"] == {
        "title": "blue",
        "message_item": {"type": 1, "msg_id": answered, "text_item": {"text": "blue"}},
    }
    control.switches(quotes_carry_text=False)
    bot.hears("no", quote_of=answered)
    bare = (await bot.polls())["msgs"][2]["item_list"][0]["ref_msg"]
    assert bare == {"message_item": {"type": 1, "msg_id": answered}}
