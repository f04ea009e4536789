"""B5: from the start of the process until every session is polled; and how it stops."""

import asyncio
import time

from tests.bench.bench import Bench
from tests.bench.console.stage import START_S, Stage
from tests.bench.figures import Figure, Goal

SESSIONS = 1_000
IN_FOLDER = 100


async def start(bench: Bench) -> list[Figure]:
    return [*await _in_database(bench), *await _in_folder(bench)]


async def _in_database(bench: Bench) -> list[Figure]:
    sessions = bench.load(SESSIONS)
    async with (
        bench.wechat(sessions) as wechat,
        Stage(bench.new_folder(), bench.prepared, wechat, servers=bench.servers) as stage,
    ):
        await stage.fill(sessions=sessions)
        began = stage.start().started_at
        page = await stage.answers("/accounts/login/") - began
        ready = await stage.answers("/readyz") - began
        polled = await wechat.all_polled(within_s=START_S) - began
        await asyncio.sleep(2)
        stopped = await stage.stop()
        polls = int((await wechat.state())["overlaps"])
    return [
        Figure(
            "B5", f"start until {sessions:,} sessions are polled", polled, "s", Goal(8),
            notes=f"{polls} polls twice at once",
        ),
        Figure("B5", "start until the first page", page, "s", Goal(2.5)),
        Figure("B5", "start until /readyz answers", ready, "s", Goal(5)),
        Figure("B5", f"stop with {sessions:,} polls open", stopped, "s", Goal(5)),
    ]  # fmt: skip


async def _in_folder(bench: Bench) -> list[Figure]:
    """All but one are there at the start; the last one is put in while the console runs."""
    count = bench.load(IN_FOLDER)
    async with (
        bench.wechat(count + 1) as wechat,
        Stage(bench.new_folder(), bench.prepared, wechat, store="files") as stage,
    ):
        await stage.fill(sessions=0)
        stage.fill_folder(range(count))
        began = stage.start().started_at
        polled = await wechat.all_polled(bots=count, within_s=START_S) - began
        await stage.answers("/readyz")
        await asyncio.sleep(3)
        changed = time.monotonic()
        stage.fill_folder(range(count, count + 1))
        followed = await wechat.all_polled(within_s=60) - changed
    return [
        Figure("B5", f"start, {count} sessions in the shared folder", polled, "s", Goal(6)),
        Figure("folder", "a new session in it, until it is polled", followed, "s", Goal(2)),
    ]
