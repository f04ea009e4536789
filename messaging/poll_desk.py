"""Which sessions this worker polls right now: starts, ends and replaces poll loops.

One loop per session, whatever happens; a loop ends when its session is no longer ours, was bound
anew, paused or logged out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from messaging import poll_notes, routes
from messaging.lines import Lines
from messaging.poller import Binding, Poller
from messaging.recorder import Recorder
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError, UnsafeHostError
from sessions_app.models import Session
from sessions_app.sealed import SealedError

logger = logging.getLogger(__name__)

STARTS_PER_S = 200
WRITE_HEARD_S = 5.0
LET_GO_S = 2.0

Desk = Callable[..., Awaitable[Any]]
Key = tuple[int, int]
"""(session id, generation)"""


class PollDesk:
    """`follow(sessions)` makes the running loops match the sessions we hold."""

    def __init__(
        self, *, lines: Lines, recorder: Recorder, desk: Desk, random: Callable[[], float]
    ) -> None:
        self.lines = lines
        self.recorder = recorder
        self.desk = desk
        self.random = random
        self.heard: dict[Binding, datetime] = {}
        self._loops: dict[Key, tuple[asyncio.Task[None], ILinkClient]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def follow(self, sessions: Sequence[Session]) -> None:
        wanted = {(one.pk, one.generation): one for one in sessions}
        for key in [key for key in self._loops if key not in wanted]:
            self._end(key)
        fresh = [one for key, one in wanted.items() if key not in self._loops]
        for number, session in enumerate(fresh):
            await self._begin(session, delay_s=number / STARTS_PER_S)

    async def _begin(self, session: Session, *, delay_s: float) -> None:
        binding = Binding(session.pk, session.generation, session.cursor, session.hold_ms)
        try:
            client = self.lines.of(
                session.pk, session.generation, base_url=session.base_url, token=session.token
            )
        except SealedError:
            await self.desk(poll_notes.blocked, binding, code="sealed", detail="")
            return
        except UnsafeHostError:
            await self.desk(
                poll_notes.blocked, binding, code="unsafe_host", detail=session.base_url
            )
            return
        task = asyncio.ensure_future(self._poll(binding, client, delay_s))
        self._loops[session.pk, session.generation] = (task, client)
        if session.last_poll_at is None:  # bound anew: older windows are void
            await self.desk(routes.refresh_routes, session.pk)

    async def _poll(self, binding: Binding, client: ILinkClient, delay_s: float) -> None:
        """The loop, started again after a bug: one session must not go deaf for one error."""
        await asyncio.sleep(delay_s * (0.5 + self.random()))
        while True:
            poller = Poller(
                binding,
                client=client,
                recorder=self.recorder,
                desk=self.desk,
                heard=self.heard,
                random=self.random,
            )
            try:
                await poller.run()
            except Exception:
                logger.exception("the poll loop of session %s broke", binding.session_id)
                binding = Binding(
                    binding.session_id, binding.generation, poller.cursor, poller.hold_ms
                )
                await asyncio.sleep(30)
            else:
                return

    def _end(self, key: Key) -> None:
        """Let go of a session: tell WeChat, while the loop's poll is cut."""
        task, client = self._loops.pop(key)
        ending = asyncio.ensure_future(self._let_go(key, task, client))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _let_go(self, key: Key, task: asyncio.Task[None], client: ILinkClient) -> None:
        session_id, generation = key
        is_dead = task.done()
        if not is_dead:
            # A poll in flight brings in what it has: WeChat ends it when told that we stop.
            await _notify_stop(client)
            await asyncio.wait({task}, timeout=LET_GO_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self.lines.close(session_id, generation)
        await self.desk(routes.refresh_routes, session_id)

    async def drop_all(self) -> None:
        """Stop polling at once, telling nobody: another worker goes on."""
        loops, self._loops = list(self._loops.values()), {}
        for task, _ in loops:
            task.cancel()
        await asyncio.gather(*(task for task, _ in loops), return_exceptions=True)

    async def stop(self, timeout_s: float) -> None:
        """Stop all loops; tell WeChat of as many as fit into the time."""
        clients = [client for _, client in self._loops.values()]
        await self.drop_all()
        farewells = [asyncio.ensure_future(_notify_stop(client)) for client in clients]
        if farewells or self._ending:
            _, late = await asyncio.wait([*farewells, *self._ending], timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self.desk(poll_notes.write_good_polls, dict(self.heard))

    async def write_heard(self) -> None:
        while True:
            await asyncio.sleep(WRITE_HEARD_S)
            heard = dict(self.heard)
            self.heard.clear()
            if heard:
                try:
                    await self.desk(poll_notes.write_good_polls, heard)
                except Exception:
                    logger.exception("good polls could not be noted")


async def _notify_stop(client: ILinkClient) -> None:
    try:
        await client.notify_stop()
    except ILinkError as error:
        logger.info("notifystop: %s", error)
