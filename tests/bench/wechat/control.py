"""Starts the fake WeChat and tells it what to do."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.page.http import Connection
from tests.bench.processes import Process, until
from tests.bench.wechat.bots import person_of

HOLD_S = 35.0
"""As WeChat holds an empty poll."""


class FakeWeChat:
    """A process; `async with` ends it."""

    def __init__(self, folder: Path, *, bots: int, hold_s: float = HOLD_S, batch: int = 50) -> None:
        self.bots = bots
        self._options = ["--bots", str(bots), "--hold", str(hold_s), "--batch", str(batch)]
        self._log = folder / "wechat.log"
        self.port = 0

    async def __aenter__(self) -> "FakeWeChat":
        command = ("-m", "tests.bench.wechat.server", *self._options)
        self.process = Process.python(*command, log=self._log, speaks=True)
        assert self.process.popen.stdout is not None
        line = await asyncio.to_thread(self.process.popen.stdout.readline)
        if not line:
            self.process.popen.wait(10)
            self.process.check()
        self.port = int(line)
        self._line = Connection(self.port)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._line.close()
        await asyncio.to_thread(self.process.stop)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def do(self, what: str, **values: object) -> dict[str, Any]:
        answer = await self._line.post_json(f"/control/{what}", values)
        found: dict[str, Any] = answer.json()
        return found

    async def write(self, messages: Sequence[tuple[int, str]]) -> float:
        """Texts to bots, from each bot's one person. The time at which they were written."""
        rows = [(bot, person_of(bot), text) for bot, text in messages]
        return float((await self.do("write", messages=rows))["at"])

    async def flood(self, *, each: int, prefix: str, people: int = 1) -> dict[str, Any]:
        """`each` messages to every bot at once."""
        return await self.do("flood", each=each, prefix=prefix, people=people)

    async def state(self) -> dict[str, Any]:
        return await self.do("state")

    async def all_polled(self, *, within_s: float, bots: int | None = None) -> float:
        """When the last of the bots was polled for the first time, since the last `forget`."""
        wanted = self.bots if bots is None else bots

        async def check() -> float:
            state = await self.state()
            return float(state["met_at"]) if state["met"] >= wanted else 0.0

        return await until(check, f"{wanted} bots polled", within_s=within_s)

    async def all_acknowledged(self, after: float, *, within_s: float) -> float:
        """When all messages were stored and their bots polled again, with the new cursors."""

        async def check() -> float:
            state = await self.state()
            is_done = not state["pending"] and state["acknowledged_at"] > after
            return float(state["acknowledged_at"]) if is_done else 0.0

        return await until(check, "all messages taken", within_s=within_s)

    async def sends(self, after: int = 0) -> list[tuple[str, float]]:
        return [(text, at) for text, at in (await self.do("sends", after=after))["sends"]]


async def paced(count: int, per_s: float) -> Any:
    """Yields 0 … count - 1, each at its time."""
    began = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
        yield number
