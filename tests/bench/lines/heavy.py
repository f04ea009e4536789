"""B10, B11: what would fill the memory, and whether the console stays there for the others."""

import asyncio
import time

from tests.bench.bench import Bench
from tests.bench.console.stage import Stage
from tests.bench.figures import Figure, Goal
from tests.bench.page.http import Connection
from tests.bench.processes import Peak, until
from tests.bench.wechat.control import FakeWeChat

REQUESTS, MESSAGES, SESSIONS = 150, 20_000, 100
CHARACTERS = 30_000_000
"""Just under the largest answer that the console reads."""
SHOWN_BYTES = 1_000_000
HOLD_S = 2.0


async def many_requests(bench: Bench) -> list[Figure]:
    """150 API requests at once, beside polls that WeChat holds for two seconds."""
    each, requests = bench.load(MESSAGES) // SESSIONS, bench.load(REQUESTS)
    async with bench.wechat(SESSIONS, hold_s=HOLD_S) as wechat, bench.console(wechat) as stage:
        at = float((await wechat.flood(each=each, prefix="m"))["at"])
        await wechat.all_acknowledged(at, within_s=180)
        await asyncio.sleep(5)
        quiet = await _health(stage, 5)
        assert stage.console is not None
        watching = asyncio.create_task(_longest_silence(wechat))
        checking = asyncio.create_task(_health_until_cancelled(stage))
        began = time.monotonic()
        async with Peak(stage.console.pid) as peak:
            calls = (stage.api("GET", f"messages?limit=200&after={n}") for n in range(requests))
            answers = await asyncio.gather(*calls, return_exceptions=True)
        took = time.monotonic() - began
        checking.cancel()
        watching.cancel()
        health, silence = await checking, await watching
    good = sum(1 for one in answers if not isinstance(one, BaseException) and one.status == 200)
    return [
        Figure(
            "B10", f"{requests} API requests at once: memory", peak.growth_mb, "MB",
            Goal(150, is_scaled=False), notes=f"{good} answered with 200, all in {took:.1f} s",
        ),
        Figure("B10", "the same: slowest /healthz", max(health), "s", Goal(0.5), max(quiet)),
        Figure(
            "B10", "the same: longest without a poll", silence, "s", Goal(1, plus=HOLD_S),
            HOLD_S, notes=f"of any of {SESSIONS} sessions; WeChat holds a poll for {HOLD_S:.0f} s",
        ),
    ]  # fmt: skip


async def _health(stage: Stage, count: int) -> list[float]:
    """Seconds of each request to `/healthz`, on a new connection each."""
    found = []
    for _ in range(count):
        line, began = Connection(stage.port), time.monotonic()
        await line.get("/healthz")
        found.append(time.monotonic() - began)
        await line.close()
        await asyncio.sleep(0.1)
    return found


async def _health_until_cancelled(stage: Stage) -> list[float]:
    """One that is under way when the end comes counts as far as it got."""
    found: list[float] = []
    began = time.monotonic()
    try:
        while True:
            began = time.monotonic()
            found += await _health(stage, 1)
    except asyncio.CancelledError:
        return [*found, min(time.monotonic() - began, max(found, default=60.0))]


async def _longest_silence(wechat: FakeWeChat) -> float:
    """The longest time that any session was not polled, while this runs."""
    longest = 0.0
    try:
        while True:
            found = await wechat.do("polls")
            longest = max(longest, *(found["at"] - last for _, last in found["polls"]))
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return longest


async def large_text(bench: Bench) -> list[Figure]:
    """One text of 30 MB: the page that shows it, and the memory until it has been shown."""
    async with bench.wechat(1) as wechat, bench.console(wechat) as stage:
        await wechat.flood(each=1, prefix="hello")
        page = Connection(stage.port, {"Cookie": stage.cookies[0]})
        await page.get("/inbox/")
        assert stage.console is not None
        async with Peak(stage.console.pid) as peak:
            began = time.monotonic()
            await wechat.do("large", characters=bench.load(CHARACTERS))
            await wechat.all_acknowledged(began, within_s=60)

            async def stored() -> int:
                rows = stage.rows("SELECT MAX(conversation_id), COUNT(*) FROM messaging_message")
                return int(rows[0][0]) if rows[0][1] == 2 else 0

            conversation = await until(stored, "the text stored", within_s=60)
            shown = time.monotonic()
            answer = await page.get(f"/inbox/{conversation}/")
            took = time.monotonic() - shown
            listed = await page.get("/inbox/")
        await page.close()
    assert (answer.status, listed.status) == (200, 200)
    return [
        Figure(
            "B11", "a text of 30 MB: its page", len(answer.body) / 1e6, "MB",
            Goal(SHOWN_BYTES / 1e6, is_scaled=False),
            notes=f"in {took:.1f} s; the list {len(listed.body) / 1e3:.0f} kB",
        ),
        Figure(
            "B11", "the same: memory", peak.growth_mb, "MB", Goal(100, is_scaled=False),
        ),
    ]  # fmt: skip
