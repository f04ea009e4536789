"""One run of benchmarks: where its data lie, which servers it uses, what a line is."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.console.stage import Servers, Stage
from tests.bench.figures import Figure
from tests.bench.wechat.control import HOLD_S, FakeWeChat


@dataclass(frozen=True)
class Bench:
    """`folder`: for data that goes when the run ends. `kept`: for what is slow to make.

    `is_quick`: every load is a tenth, to see that the lines work; figures then prove nothing.
    `prepared`: see `Stage`. `services`: PostgreSQL and Redis, for the lines that need them.
    """

    folder: Path
    kept: Path
    prepared: Path
    servers: Servers
    services: Servers
    is_quick: bool = False
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def load(self, usual: int) -> int:
        """How many sessions, pages, messages or requests, where usually there are so many."""
        return max(1, usual // 10) if self.is_quick else usual

    def new_folder(self) -> Path:
        folder = self.folder / f"stage-{next(self._numbers)}"
        folder.mkdir()
        return folder

    @asynccontextmanager
    async def wechat(
        self, bots: int, *, hold_s: float = HOLD_S, batch: int = 50
    ) -> AsyncIterator[FakeWeChat]:
        async with FakeWeChat(self.new_folder(), bots=bots, hold_s=hold_s, batch=batch) as wechat:
            yield wechat

    @asynccontextmanager
    async def console(
        self, wechat: FakeWeChat, *, sessions: int | None = None, agents: int = 20
    ) -> AsyncIterator[Stage]:
        """A console that runs, with all bots bound and polled."""
        async with Stage(self.new_folder(), self.prepared, wechat, servers=self.servers) as stage:
            await stage.fill(sessions=wechat.bots if sessions is None else sessions, agents=agents)
            await stage.ready()
            yield stage


Measure = Callable[[Bench], Awaitable[list[Figure]]]


@dataclass(frozen=True)
class Line:
    """`is_long`: runs only if it is named."""

    name: str
    about: str
    measure: Measure
    is_long: bool = False
