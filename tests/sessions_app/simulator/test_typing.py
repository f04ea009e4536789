"""getconfig and sendtyping: one ticket per person, its age, and what the phone shows."""

from sessions_app.simulator.control.panel import Control

from .conftest import PERSON, BoundBot


async def ticket_of(bot: BoundBot) -> str:
    answer = await bot.wire.post("getconfig", bot.token, ilink_user_id=PERSON)
    return str(answer["typing_ticket"])


async def typing(bot: BoundBot, ticket: str, status: int) -> int:
    answer = await bot.wire.post(
        "sendtyping", bot.token, ilink_user_id=PERSON, typing_ticket=ticket, status=status
    )
    return int(answer["ret"])


def shown(bot: BoundBot) -> bool:
    return bool(bot.control.chat(bot.bot_id, PERSON)["typing"])


async def test_typing_is_shown_until_it_stops(bot: BoundBot) -> None:
    bot.hears()
    ticket = await ticket_of(bot)
    assert await ticket_of(bot) == ticket
    assert await typing(bot, ticket, 1) == 0
    assert shown(bot)
    assert await typing(bot, ticket, 2) == 0
    assert not shown(bot)


async def test_a_message_ends_typing(bot: BoundBot) -> None:
    context = bot.hears()
    await typing(bot, await ticket_of(bot), 1)
    await bot.says("here", context)
    assert not shown(bot)


async def test_a_wrong_or_old_ticket_is_refused(bot: BoundBot, control: Control) -> None:
    bot.hears()
    control.switches(typing_ticket_lifetime_s=600.0)
    ticket = await ticket_of(bot)
    assert await typing(bot, "bm90IGl0", 1) == -2
    control.advance(599)
    assert await typing(bot, ticket, 1) == 0
    control.advance(1)
    assert await typing(bot, ticket, 1) == -2
    fresh = await ticket_of(bot)
    assert fresh != ticket
    assert await typing(bot, fresh, 1) == 0


async def test_a_status_other_than_one_and_two_is_a_bad_request(bot: BoundBot) -> None:
    bot.hears()
    assert await typing(bot, await ticket_of(bot), 3) == -1
