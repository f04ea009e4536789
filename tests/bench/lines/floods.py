"""B6, B7, B8: many messages at once, a backlog, and lone messages from many sessions."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.bench import Bench
from tests.bench.console.stage import Stage
from tests.bench.figures import Figure, Goal
from tests.bench.floors import BareClient, commits_per_s, sdk_stores
from tests.bench.page.client import Arrivals
from tests.bench.wechat.control import FakeWeChat

BACKLOG, BACKLOG_SESSIONS = 20_000, 100
LONE_SESSIONS, LONE_EACH = 500, 10
WITHIN_S = 120.0


async def flood(wechat: FakeWeChat, *, each: int, prefix: str) -> float:
    """Seconds until all bots' messages were taken and all bots are polled again."""
    at = float((await wechat.flood(each=each, prefix=prefix))["at"])
    return await wechat.all_acknowledged(at, within_s=WITHIN_S) - at


async def at_once(bench: Bench) -> list[Figure]:
    """One message on each session: of people who wrote before, as nearly all do."""
    figures = []
    for usual, goal_s in ((100, None), (500, 0.5), (1_000, 1.0)):
        sessions = bench.load(usual)
        async with bench.wechat(sessions) as wechat:
            async with BareClient(wechat):
                floor = await flood(wechat, each=1, prefix="floor")
            async with bench.console(wechat) as stage:
                new = await flood(wechat, each=1, prefix="hello")
                await asyncio.sleep(2)
                took = min([await flood(wechat, each=1, prefix=f"m{n}") for n in range(3)])
                _check_stored(stage, sessions * 4)
        goal = None if goal_s is None else Goal(goal_s)
        figures.append(
            Figure(
                "B6",
                f"one message on each of {sessions:,} sessions",
                took,
                "s",
                goal,
                floor,
                notes=f"best of 3; {new:.2f} s if nobody has written before",
            )
        )
    return figures


def _check_stored(stage: Stage, count: int) -> None:
    [(found,)] = stage.rows("SELECT COUNT(*) FROM messaging_message")
    assert found == count, f"{found} of {count} messages are stored"


async def backlog(bench: Bench) -> list[Figure]:
    """The floor: the SDK's own store, from such a WeChat, as many messages of one session."""
    sessions, each = BACKLOG_SESSIONS, bench.load(BACKLOG) // BACKLOG_SESSIONS
    count = sessions * each
    async with bench.wechat(1) as wechat:
        await wechat.flood(each=count, prefix="sdk")
        sdk_s = await sdk_stores(wechat, bench.new_folder(), count, within_s=WITHIN_S)
    async with bench.wechat(sessions) as wechat, bench.console(wechat) as stage:
        took = await flood(wechat, each=each, prefix="m")
        _check_stored(stage, count)
    floor = count / sdk_s
    share = 0.6 if bench.servers.postgresql else 1.0
    goal = Goal(0, plus=floor * share, at_least=True)
    return [
        Figure(
            "B7", f"a backlog of {count:,} over {sessions} sessions", count / took,
            "messages/s", goal, floor, notes="floor: the weilink SDK's own store, of one session",
        )
    ]  # fmt: skip


async def lone(bench: Bench) -> list[Figure]:
    """Every answer brings one message, and the next one waits already; a page is open."""
    sessions = bench.load(LONE_SESSIONS)
    count = sessions * LONE_EACH
    async with bench.wechat(sessions, batch=1) as wechat:
        async with BareClient(wechat):
            floor_s = await flood(wechat, each=LONE_EACH, prefix="floor")
        async with bench.console(wechat) as stage, _one_page(stage):
            await flood(wechat, each=1, prefix="hello")
            before = stage.use()
            took = await flood(wechat, each=LONE_EACH, prefix="m")
            cpu_ms = (stage.use().cpu_s - before.cpu_s) / count * 1000
            _check_stored(stage, count + sessions)
    commits = commits_per_s(bench.new_folder())
    return [
        Figure(
            "B8", f"lone messages from {sessions} sessions", count / took, "messages/s",
            Goal(2_000, at_least=True), count / floor_s,
            notes=f"{cpu_ms:.2f} ms of CPU each; floor: a bare client; SQLite alone: "
            f"{commits:,.0f} synced commits/s",
        )
    ]  # fmt: skip


@asynccontextmanager
async def _one_page(stage: Stage) -> AsyncIterator[None]:
    [page] = await stage.open_pages(1, Arrivals())
    opened_at = time.monotonic()
    try:
        yield
    finally:
        assert page.frames, f"nothing was announced in {time.monotonic() - opened_at:.0f} s"
        await page.close()
