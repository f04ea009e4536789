"""B12: three pollers on PostgreSQL and Redis, one of which is killed under load."""

import asyncio
import time
from collections import Counter

from tests.bench.bench import Bench
from tests.bench.console.stage import START_S, Stage, closing_all
from tests.bench.figures import Figure, Goal
from tests.bench.processes import Process, until
from tests.bench.wechat.control import FakeWeChat, paced

POLLERS, SESSIONS, HOLD_S = 3, 60, 5.0
PER_S, WRITING_S, KILL_AFTER_S = 20, 40, 10
WITHIN_S = 90.0
HELD = """
    SELECT beat.pid, session.bot_id FROM sessions_app_workerbeat beat
    JOIN sessions_app_session session ON session.lease_owner = beat.worker_id
"""


async def one_killed(bench: Bench) -> list[Figure]:
    """WeChat gives a message again until a cursor acknowledges it, so nothing need be lost."""
    async with (
        bench.wechat(SESSIONS, hold_s=HOLD_S) as wechat,
        Stage(bench.new_folder(), bench.prepared, wechat, servers=bench.services) as stage,
    ):
        await stage.fill(sessions=wechat.bots)
        pollers: list[Process] = []
        with closing_all(pollers):
            began = time.monotonic()
            pollers.extend(stage.launch("poller") for _ in range(POLLERS))
            await wechat.all_polled(within_s=START_S)
            await asyncio.sleep(15)  # time to share the sessions fairly
            writing = asyncio.create_task(_write(wechat))
            await asyncio.sleep(KILL_AFTER_S)
            shares = Counter(int(pid) for pid, _ in stage.rows(HELD))
            victim = max(pollers, key=lambda one: shares[one.pid])
            bots = [_number(bot) for pid, bot in stage.rows(HELD) if pid == victim.pid]
            victim.kill()
            killed = time.monotonic()
            again = await _polled_again(wechat, bots, killed) - killed
            expected = await writing
            await wechat.all_acknowledged(began, within_s=WITHIN_S)
            await asyncio.sleep(2)
            stored = Counter(text for (text,) in stage.rows("SELECT text FROM messaging_message"))
            overlaps = int((await wechat.state())["overlaps"])
    lost = len(expected - stored.keys())
    twice = sum(1 for count in stored.values() if count > 1)
    fair = ", ".join(str(shares[one.pid]) for one in pollers)
    return [
        Figure(
            "B12", "a poller killed: its sessions polled again", again, "s",
            Goal(10, is_scaled=False),
            notes=f"{len(bots)} sessions; shares before: {fair}",
        ),
        Figure(
            "B12", "the same: messages lost", lost, "messages", Goal(0, is_scaled=False),
            notes=f"of {len(expected)}, at {PER_S}/s",
        ),
        Figure("B12", "the same: stored twice", twice, "messages", Goal(0, is_scaled=False)),
        Figure("B12", "the same: two polls of one token", overlaps, "polls"),
    ]  # fmt: skip


def _number(bot_id: str) -> int:
    return int(bot_id.removeprefix("bench").partition("@")[0])


async def _write(wechat: FakeWeChat) -> set[str]:
    expected = set()
    async for number in paced(PER_S * WRITING_S, PER_S):
        text = f"message {number}"
        expected.add(text)
        await wechat.write([(number % SESSIONS, text)])
    return expected


async def _polled_again(wechat: FakeWeChat, bots: list[int], since: float) -> float:
    """When the last of these bots was polled for the first time after `since`."""
    first: dict[int, float] = {}

    async def check() -> float:
        found = (await wechat.do("polls"))["polls"]
        for bot in bots:
            if bot not in first and found[bot][1] > since:
                first[bot] = found[bot][1]
        return max(first.values()) if len(first) == len(bots) else 0.0

    return await until(check, "the sessions polled again", within_s=WITHIN_S, every_s=0.1)
