"""A hot loop is impossible: whatever WeChat answers, a session is polled 3 times in 10 s at most.

Counted by the simulated WeChat itself, over the real worker.
"""

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings

from messaging.worker.pauses import USUAL, Pauses
from sessions_app.models import Session, Team
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.services import create_session
from tests.conftest import Running, in_thread, until

UPDATES = "/ilink/bot/getupdates"
WINDOW_S = 10.0
MOST = 3

Trouble = tuple[str, dict[str, Any]]

ANSWERS: dict[str, Trouble] = {
    "-14 in ret": ("ret", {"ret": -14}),
    "-14 in errcode": ("ret", {"errcode": -14}),
    "-1": ("ret", {"ret": -1}),
    "-2": ("ret", {"ret": -2}),
    "HTML": ("html", {}),
    "empty at once": ("body", {"body": json.dumps({"ret": 0, "msgs": [], "get_updates_buf": ""})}),
}
EACH = 3
"""Sessions that are answered so, side by side."""


@pytest.fixture
def pauses() -> Pauses:
    """The product's own: they are what keeps a loop from being hot."""
    return USUAL


def _bind(running: Running, name: str, trouble: Trouble) -> str:
    """A session as after a scan, whose every poll is answered so; its bot's id."""
    kind, details = trouble
    running.control.add_account(name)
    bot = running.control.bind(name)
    running.control.add_fault(kind, path=UPDATES, token=bot["token"], times=None, **details)
    with announcing() as change:
        session = create_session(name=name, team=Team.objects.get(pk=running.team_id))
        url = running.worker.hosts.check(settings.WEILINK_ILINK_URL)
        bind(change, session, Credentials(bot["token"], bot["bot_id"], url, name), who=None)
    return str(bot["bot_id"])


def _polls(running: Running, bots: list[str]) -> dict[str, int]:
    """Polls that were hit, by bot: a fault stands before the count of the bot itself."""
    tokens = {running.control.bot(bot)["token"]: bot for bot in bots}
    counted = {bot: running.control.bot(bot)["polls"]["total"] for bot in bots}
    for fault in running.control.faults():
        counted[tokens[fault["token"]]] += fault["hits"]
    return counted


async def _watch(running: Running, bots: list[str]) -> dict[str, int]:
    """All are being polled; then exactly one window is measured from the first poll of any."""
    await until(lambda: any(_polls(running, bots).values()), "the first poll")
    window = asyncio.get_running_loop().time() + WINDOW_S
    await until(
        lambda: all(_polls(running, bots).values()), "a first poll of each", within_s=WINDOW_S
    )
    # The one thing to wait for is that nothing more comes.
    await asyncio.sleep(window - asyncio.get_running_loop().time())
    counted: dict[str, int] = await in_thread(_polls)(running, bots)
    return counted


async def test_sessions_that_are_answered_in_every_wrong_way_are_polled_three_times_at_most(
    running: Running,
) -> None:
    bots = {
        await in_thread(_bind)(running, f"{what} {number}", trouble): what
        for what, trouble in ANSWERS.items()
        for number in range(EACH)
    }
    polls = await _watch(running, list(bots))
    assert {bots[bot]: count for bot, count in polls.items() if count > MOST} == {}
    dead = [count for bot, count in polls.items() if bots[bot].startswith("-14")]
    assert dead == [2] * (2 * EACH)  # one answer condemns nothing
    states = Session.objects.filter(name__startswith="-14").values_list("state", flat=True)
    assert [one async for one in states] == ["expired"] * (2 * EACH)


@pytest.mark.slow
@pytest.mark.parametrize("what", ANSWERS)
async def test_when_all_sessions_are_answered_so_none_is_polled_more_than_three_times(
    running: Running, what: str
) -> None:
    bots = [await in_thread(_bind)(running, f"{what} {n}", ANSWERS[what]) for n in range(8)]
    polls = await _watch(running, bots)
    assert max(polls.values()) <= MOST, polls
