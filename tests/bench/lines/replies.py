"""B3: from a program's POST to the arrival of `sendmessage` at WeChat."""

import asyncio
import statistics
import time
from typing import Any

from tests.bench.bench import Bench
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.floors import one_post
from tests.bench.page.http import Connection
from tests.bench.processes import until
from tests.bench.wechat.bots import person_of
from tests.bench.wechat.control import FakeWeChat

REPLIES = 100
"""One to each person, so that no limit of WeChat's is near."""
WITHIN_S = 10.0


async def one_reply(bench: Bench) -> list[Figure]:
    async with bench.wechat(bench.load(REPLIES)) as wechat:
        floor = [await one_post(wechat, f"floor {number}") * 1000 for number in range(wechat.bots)]
        async with bench.console(wechat) as stage:
            at = float((await wechat.flood(each=1, prefix="hello"))["at"])
            await wechat.all_acknowledged(at, within_s=60)
            before = stage.use()
            headers = {"Authorization": f"Bearer {stage.token}"}
            took = await _replies(wechat, Connection(stage.port, headers))
            cpu_ms = (stage.use().cpu_s - before.cpu_s) / wechat.bots * 1000
    floors = statistics.median(floor)
    return [
        Figure(
            "B3", "POST to the API → sendmessage, median", statistics.median(took), "ms",
            Goal(25, plus=floors), floors, notes="floor: one POST to the fake WeChat",
        ),
        Figure(
            "B3", "the same, 99th percentile", percentile(took, 0.99), "ms",
            floor=percentile(floor, 0.99), notes=f"{cpu_ms:.0f} ms of CPU per reply",
        ),
    ]  # fmt: skip


async def _replies(wechat: FakeWeChat, line: Connection) -> list[float]:
    """Milliseconds of each, one after the other."""
    took = []
    for number in range(wechat.bots):
        known = len(await wechat.sends())

        async def arrived(known: int = known) -> list[Any]:
            return await wechat.sends(known)

        began = time.monotonic()
        message = {"to": person_of(number), "text": f"reply {number}"}
        answer = await line.post_json("/api/v1/messages", message)
        assert answer.status == 202, answer.body
        [(_, at)] = await until(arrived, "the reply", within_s=WITHIN_S, every_s=0.01)
        took.append((at - began) * 1000)
        await asyncio.sleep(0.05)
    await line.close()
    return took
