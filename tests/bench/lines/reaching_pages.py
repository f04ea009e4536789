"""B1, B2: from WeChat to the data in open pages."""

import asyncio
import statistics
import time
from collections.abc import Sequence

from tests.bench.bench import Bench
from tests.bench.console.stage import Stage
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.floors import BareClient
from tests.bench.page.client import Arrivals, mark
from tests.bench.wechat.control import FakeWeChat, paced

SESSIONS = 100
STEADY_PER_S, STEADY_S = 10, 20
BUSY_PER_S, BUSY_S = 50, 10
BEHIND_S = 1.0
"""A page that has the last messages later than this did not keep up."""
DRAIN_S = 60.0
LONGEST_S = 20.0
"""No more messages are written to many pages once they took so long together."""


async def write_steadily(
    wechat: FakeWeChat, arrivals: Arrivals, first: int, count: int, per_s: float
) -> list[float]:
    """Milliseconds until each message had arrived; waits a while for the last one.

    A message is missing in the result if a later one of its conversation came with the same answer.
    """
    written = {}
    async for number in paced(count, per_s):
        words = mark(first + number)
        written[words] = await wechat.write([(number % wechat.bots, words)])
    await arrivals.until(words, 1, DRAIN_S)
    times = ((arrivals.times[one], at) for one, at in written.items())
    return [(found[0] - at) * 1000 for found, at in times if found]


async def warm_up(wechat: FakeWeChat, stage: Stage) -> None:
    """Every bot's person has a conversation, and nothing is left to do."""
    at = float((await wechat.flood(each=1, prefix="warm"))["at"])
    await wechat.all_acknowledged(at, within_s=60)
    await asyncio.sleep(2)
    stage.use()


async def one_page(bench: Bench) -> list[Figure]:
    async with bench.wechat(bench.load(SESSIONS)) as wechat:
        async with BareClient(wechat) as bare:
            count = bench.load(STEADY_PER_S * STEADY_S // 2)
            floor = await write_steadily(wechat, bare.arrivals, 0, count, STEADY_PER_S)
        async with bench.console(wechat) as stage:
            arrivals = Arrivals()
            [page] = await stage.open_pages(1, arrivals)
            await warm_up(wechat, stage)
            idle = stage.use()
            await asyncio.sleep(5)
            before, asked = stage.use(), page.asked
            count = bench.load(STEADY_PER_S * STEADY_S)
            took = await write_steadily(wechat, arrivals, 1000, count, STEADY_PER_S)
            after, asked = stage.use(), page.asked - asked
            busy_count = bench.load(BUSY_PER_S * BUSY_S)
            busy = await write_steadily(wechat, arrivals, 5000, busy_count, BUSY_PER_S)
            await page.close()
    cpu_ms = (after.cpu_s - before.cpu_s) / count * 1000
    idle_ms = before.cores_since(idle) / STEADY_PER_S * 1000
    return [
        *_latencies("B1", took, floor),
        Figure(
            "B1", "CPU per message", cpu_ms, "ms", Goal(8),
            notes=f"of it {idle_ms:.1f} ms idle; the page asked {asked} times",
        ),
        Figure(
            "B1", f"at {BUSY_PER_S}/s, median of the last 100",
            statistics.median(busy[-100:]), "ms", Goal(BEHIND_S * 1000),
            notes=f"first 100: {statistics.median(busy[:100]):.0f} ms; of {busy_count} messages "
            f"{busy_count - len(busy)} came with a newer one",
        ),
    ]  # fmt: skip


def _latencies(line: str, took: Sequence[float], floor: Sequence[float]) -> list[Figure]:
    floors = statistics.median(floor), percentile(floor, 0.99)
    return [
        Figure(
            line, f"message → page, {STEADY_PER_S}/s, median", statistics.median(took), "ms",
            Goal(15, plus=floors[0]), floors[0], notes="floor: a bare client that stores nothing",
        ),
        Figure(
            line, "the same, 99th percentile", percentile(took, 0.99), "ms",
            Goal(60, plus=floors[1]), floors[1], notes=f"{len(took)} messages",
        ),
    ]  # fmt: skip


async def some_pages(bench: Bench) -> list[Figure]:
    return [
        *await many_pages(bench, bench.load(50), 100),
        *await many_pages(bench, bench.load(200), 200),
    ]


async def a_thousand_pages(bench: Bench) -> list[Figure]:
    return await many_pages(bench, bench.load(1_000), 800, most_s=300)


async def many_pages(
    bench: Bench, pages: int, goal_ms: float, most_s: float = LONGEST_S
) -> list[Figure]:
    """One message at a time, until all pages have it or `most_s` are over."""
    async with bench.wechat(10) as wechat, bench.console(wechat) as stage:
        arrivals = Arrivals()
        opened = await stage.open_pages(pages, arrivals)
        await warm_up(wechat, stage)
        before, asked = stage.use(), sum(page.asked for page in opened)
        took, missed = await _one_by_one(wechat, arrivals, pages, most_s)
        after = stage.use()
        asked = sum(page.asked for page in opened) - asked
        await asyncio.gather(*(page.close() for page in opened))
    each = (after.cpu_s - before.cpu_s) / pages / (len(took) + bool(missed)) * 1000
    median = statistics.median(took) if took else most_s * 1000
    late = f"; {missed} pages without it after {most_s:.0f} s" if missed else ""
    return [
        Figure(
            "B2", f"one message, all of {pages} pages, median", median,
            "ms", Goal(goal_ms), notes=f"{len(took)} messages{late}",
        ),
        Figure(
            "B2", f"CPU per page and message, {pages} pages", each, "ms", Goal(1),
            notes=f"the pages asked {asked} times",
        ),
    ]  # fmt: skip


async def _one_by_one(
    wechat: FakeWeChat, arrivals: Arrivals, pages: int, most_s: float
) -> tuple[list[float], int]:
    """Milliseconds until all pages had each message, and how many lacked the last one."""
    took: list[float] = []
    began = time.monotonic()
    for number in range(10):
        words = mark(number)
        at = await wechat.write([(number % wechat.bots, words)])
        if not await arrivals.until(words, pages, most_s):
            return took, pages - len(arrivals.times[words])
        took.append((max(arrivals.times[words]) - at) * 1000)
        if time.monotonic() - began > most_s:
            break
        await asyncio.sleep(0.3)
    return took, 0
