"""Running poll loops: one of them, and how many of them end together."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messaging.receiving.poller import Poller
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError
from sessions_app.models import Session

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Loop:
    """One running poll loop. Told to stop, it ends when its poll in flight is stored."""

    client: ILinkClient
    stopping: asyncio.Event
    poller: Poller
    doubted_at: datetime | None
    task: asyncio.Task[None] = field(init=False)
    checking: asyncio.Task[None] | None = None

    def is_for(self, session: Session | None) -> bool:
        """Whether it polls this session under its present lease."""
        return session is not None and self.poller.binding.lease_number == session.lease_number

    def check(self, doubted_at: datetime) -> None:
        """Another call was answered -14: each such suspicion is looked into once."""
        if doubted_at != self.doubted_at:
            self.doubted_at = doubted_at
            self.checking = asyncio.ensure_future(self.poller.doubt())

    def tell_to_stop(self) -> None:
        self.stopping.set()
        if not self.poller.is_asking:  # it rests or waits: there is nothing to come
            self.task.cancel()

    async def end(self) -> None:
        tasks = [self.task] if self.checking is None else [self.task, self.checking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def end_together(
    loops: Collection[Loop],
    *,
    within_s: float,
    is_told: bool,
    besides: Collection[asyncio.Future[Any]] = (),
) -> None:
    """End these loops and wait for `besides`. What takes longer than `within_s` is cancelled.

    `is_told`: tell WeChat, which may then end its polls. They go on meanwhile, because an answer on
    its way may never be given again; what they bring is stored.
    """
    for loop in loops:
        loop.tell_to_stop()
    farewells = [asyncio.ensure_future(notify_stop(one.client)) for one in loops if is_told]
    waited = {*farewells, *besides, *(loop.task for loop in loops)}
    if waited:
        _, late = await asyncio.wait(waited, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*waited, return_exceptions=True)
    await asyncio.gather(*(loop.end() for loop in loops))


async def notify_stop(client: ILinkClient) -> None:
    try:
        await client.notify_stop()
    except ILinkError as error:
        logger.info("notifystop: %s", error)
