"""B13: what stays in memory in the long run.

24 simulated hours are the number of messages of 24 hours at 5 a second, written as fast as the
console takes them, at most 250 a second. Time that passes without messages is not simulated.
"""

import asyncio
import time

from tests.bench.bench import Bench
from tests.bench.figures import Figure, Goal
from tests.bench.page.client import Arrivals
from tests.bench.wechat.bots import person_of
from tests.bench.wechat.control import FakeWeChat

PER_HOUR = 5 * 3_600
SESSIONS, PEOPLE = 100, 20
PER_S, LOT, MOST_PENDING = 250, 25, 1_000


async def day(bench: Bench) -> list[Figure]:
    return await hours(bench, 24)


async def two_hours(bench: Bench) -> list[Figure]:
    return await hours(bench, 2)


async def hours(bench: Bench, count: int) -> list[Figure]:
    """One page is open all the time."""
    sizes = []
    began = time.monotonic()
    async with bench.wechat(SESSIONS) as wechat, bench.console(wechat) as stage:
        [page] = await stage.open_pages(1, Arrivals())
        for hour in range(count):
            await _write_an_hour(wechat, hour, bench.load(PER_HOUR))
            await wechat.all_acknowledged(0.0, within_s=120)
            sizes.append(stage.use().resident / 1e6)
        await page.close()
        [(stored,)] = stage.rows("SELECT COUNT(*) FROM messaging_message")
    took = time.monotonic() - began
    growth = (max(sizes) / sizes[0] - 1) * 100
    return [
        Figure(
            "B13", f"resident memory, growth from hour 1 to hour {count}", growth, "%",
            Goal(5, is_scaled=False),
            notes=f"{sizes[0]:.0f} → {sizes[-1]:.0f} MB, highest {max(sizes):.0f} MB; "
            f"{stored:,} messages in {took / 60:.0f} min",
        )
    ]  # fmt: skip


async def _write_an_hour(wechat: FakeWeChat, hour: int, count: int) -> None:
    for first in range(0, count, LOT):
        began = time.monotonic()
        rows = [
            (number % SESSIONS, person_of(number % SESSIONS, number % PEOPLE), f"{hour} {number}")
            for number in range(first, first + LOT)
        ]
        state = await wechat.do("write", messages=rows)
        while state["pending"] > MOST_PENDING:
            await asyncio.sleep(0.05)
            state = await wechat.state()
        await asyncio.sleep(max(0.0, began + LOT / PER_S - time.monotonic()))
