"""The worker: one asyncio component that polls, drives logins, sends, and says that it lives.

Its work is found in the database at least once a second; a channel message only wakes it earlier.
The same component runs in the web process (`console`) and alone (`poller`).
"""

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections.abc import Awaitable
from functools import partial
from pathlib import Path

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connections
from django.utils import timezone

from messaging.conversations.leavers import Leavers
from messaging.delivering import outbox
from messaging.delivering.delivery import Delivery
from messaging.folder_sync.supervisor import FolderSupervisor
from messaging.receiving import poll_notes
from messaging.receiving.client_pool import ClientPool
from messaging.receiving.recorder import Recorder, Spool
from messaging.receiving.supervisor import PollSupervisor
from messaging.replying import parking
from messaging.replying.typing_supervisor import TypingSupervisor
from messaging.transfers.work import MediaWork
from messaging.worker import analyze, due
from sessions_app.database.database_thread import DatabaseThread, RunInDatabaseThread
from sessions_app.folder.mirror import FREE_FOR_S
from sessions_app.ilink.client import ClientIdentity
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.login.driver import LoginDriver
from sessions_app.models import WorkerBeat
from sessions_app.realtime import streams
from sessions_app.sessions import leases

logger = logging.getLogger(__name__)

SWEEP_S = 1.0
NOTIFY_STOP_S = 2.0
STOP_LOOPS_S = 0.3
STOP_LAST_S = 0.5
"""A database that hangs must not keep the last step of a stop."""
SETTLE_S = 15.0
"""Declared dead, a worker waits so long for its sends before it is somebody new."""
CATCH_UP_S = 2.0
"""At a start the first polls come before the first send."""
SETTLED_WITHIN_S = 10.0
"""How long a start waits to know who receives for the shared folder."""
MAX_SESSIONS = 3000
LEARN_AFTER_S = 60.0
LEAVERS_EVERY_S = 5.0
LEARN_EVERY_S = 3_600.0


class Worker:
    """`await start()`, later `await stop()`; both in the loop that owns the channel layer."""

    def __init__(
        self,
        *,
        identity: ClientIdentity,
        data_dir: Path,
        alone: bool = False,
        free_for_s: float = FREE_FOR_S,
    ) -> None:
        """`alone`: this process holds the data, so whoever else is written as alive is gone.

        `free_for_s`: how long the shared folder's poll lock must be found free to be taken.
        """
        self.alone = alone
        self.worker_id = ""
        self.hosts = HostPolicy(settings.WEILINK_ILINK_URL, settings.WEILINK_CDN_URL)
        self.clients = ClientPool(identity=identity, hosts=self.hosts)
        self.recorder = Recorder(Spool(data_dir / "spool"))
        self._database_thread = DatabaseThread("worker")
        self.run_in_database_thread: RunInDatabaseThread = self._database_thread.run
        self.polls = PollSupervisor(
            clients=self.clients,
            recorder=self.recorder,
            run_in_database_thread=self.run_in_database_thread,
            random=random.random,
        )
        self.delivery = Delivery(
            run_in_database_thread=self.run_in_database_thread, clients=self.clients
        )
        self.folder: FolderSupervisor | None = None
        if settings.WEILINK_STORE == "files":
            self.folder = FolderSupervisor(
                base=settings.WEILINK_BASE_PATH,
                data_dir=data_dir,
                polls=self.polls,
                recorder=self.recorder,
                wake_worker=self._wake_loops,
                free_for_s=free_for_s,
            )
        self.media = MediaWork(clients=self.clients, worker_id=lambda: self.worker_id)
        self.leavers = Leavers()
        self.typing = TypingSupervisor(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            clock=time.monotonic,
        )
        self._logins: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._stopping = False

    async def start(self) -> None:
        streams.attach_loop(asyncio.get_running_loop())
        await self._register()
        await self.run_in_database_thread(outbox.disown_lost)
        await self.run_in_database_thread(poll_notes.say_unreadable)
        await self.recorder.start()
        jobs = (
            self._beat(),
            self._sweep(),
            self._listen(),
            self._deliver(),
            self.typing.run(),
            self.polls.write_heard(),
            self._learn_sizes(),
            self._release(),
        )
        self._tasks = [asyncio.ensure_future(job) for job in jobs]
        if self.folder is not None:
            self._tasks.append(asyncio.ensure_future(self.folder.run()))
        self.media.start()

    async def _register(self) -> None:
        self.worker_id = uuid.uuid4().hex
        if self.alone:
            await self.run_in_database_thread(leases.retire_all)
        await self.run_in_database_thread(leases.register, self.worker_id)
        self.delivery.worker_id = self.worker_id

    async def stop(self) -> None:
        """Within 5 s: polls let go, sends finish or are unconfirmed, what came is stored."""
        if self._stopping:
            return
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        drivers = [task for task, _ in self._logins.values()]
        for task in drivers:
            task.cancel()
        if jobs := [*self._tasks, *drivers]:
            await asyncio.wait(jobs, timeout=STOP_LOOPS_S)
        await _all_of(self.polls.stop(NOTIFY_STOP_S), self.delivery.stop(), self.media.stop())
        await _all_of(self.recorder.stop())
        if self.folder is not None:
            await _all_of(self.folder.stop())
        await _all_of(self.clients.close_all(), self._say_goodbye())
        self._database_thread.shutdown(wait=False)
        streams.attach_loop(None)

    async def _say_goodbye(self) -> None:
        async with asyncio.timeout(STOP_LAST_S):
            await self.run_in_database_thread(_retire, self.worker_id)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(leases.BEAT_EVERY_S)
            try:
                if not await self.run_in_database_thread(leases.beat, self.worker_id):
                    await self._start_over()
            except Exception:
                logger.exception("the worker's beat could not be written")

    async def _start_over(self) -> None:
        """Declared dead while stalled: others may hold our sessions, so let go of all.

        Sends in flight end under the old name first: nobody here may call them lost.
        """
        logger.error("this worker was silent too long and was declared dead; it starts over")
        async with self._looking:
            await self.polls.drop_all()
            await self.delivery.settle(SETTLE_S)
            await self._register()
            await self._take_logins()

    async def _deliver(self) -> None:
        """Who wrote while nobody polled gave a newer token; a reply with the older is refused."""
        if self.folder is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_WITHIN_S):
                    await self.folder.is_settled.wait()
        await asyncio.sleep(CATCH_UP_S)
        await self.delivery.run()

    async def _release(self) -> None:
        """Conversations of members who left go back to the team."""
        while True:
            try:
                await self.run_in_database_thread(self.leavers.look)
            except Exception:
                logger.exception("conversations of members who left could not be looked up")
            await asyncio.sleep(LEAVERS_EVERY_S)

    async def _learn_sizes(self) -> None:
        """Not at once: a start has more urgent things to write."""
        await asyncio.sleep(LEARN_AFTER_S)
        while True:
            try:
                await self.run_in_database_thread(analyze.learn_sizes)
            except Exception:
                logger.exception("the database could not learn its sizes")
            await asyncio.sleep(LEARN_EVERY_S)

    async def _sweep(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._look_around()
            except Exception:
                logger.exception("the worker could not look around")
            # Not wait_for: before Python 3.12 it may swallow the cancel of a stop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()

    async def _look_around(self) -> None:
        async with self._looking:
            if not await self.run_in_database_thread(_is_known, self.worker_id):
                return  # what we would take is nobody's; the next beat starts over
            await self._look_at_sessions()
            await self.polls.look_at_doubts()
            for attempt_id in await self.run_in_database_thread(
                leases.claim_logins, self.worker_id
            ):
                if attempt_id not in self._logins:
                    self._drive(attempt_id)
            await self.run_in_database_thread(outbox.disown_lost)
            await self.run_in_database_thread(due.look, timezone.now())
            await self.run_in_database_thread(parking.expire_due, timezone.now())

    async def _look_at_sessions(self) -> None:
        """With a shared folder, only the holder of its poll lock may poll."""
        if self.folder is not None and not self.folder.may_poll:
            return
        sessions = await self.run_in_database_thread(
            leases.claim_sessions,
            self.worker_id,
            limit=MAX_SESSIONS,
            from_all=self.folder is not None,
        )
        if self.folder is None or self.folder.may_poll:
            await self.polls.follow(sessions)

    async def _take_logins(self) -> None:
        """After a start-over: what is still ours is driven on, what another took is dropped.

        A driver may hold a token just handed out, so none is cut that nobody else drives.
        """
        ours = await self.run_in_database_thread(leases.claim_logins, self.worker_id)
        for attempt_id in self._logins.keys() - set(ours):
            self._logins[attempt_id][0].cancel()
        for attempt_id in set(ours) - self._logins.keys():
            self._drive(attempt_id)

    def _drive(self, attempt_id: str) -> None:
        wake = asyncio.Event()
        driver = LoginDriver(
            attempt_id,
            run_in_database_thread=self.run_in_database_thread,
            open_client=self.clients.nameless,
            hosts=self.hosts,
            start_url=self.hosts.check(settings.WEILINK_ILINK_URL),
            wake=wake,
        )
        task = asyncio.ensure_future(driver.run())
        self._logins[attempt_id] = (task, wake)
        task.add_done_callback(partial(self._driven, attempt_id))

    def _driven(self, attempt_id: str, task: asyncio.Task[None]) -> None:
        self._logins.pop(attempt_id, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("login %s ended badly", attempt_id, exc_info=task.exception())
        self.wake()

    def wake(self) -> None:
        self._wake_loops()
        if self.folder is not None:
            self.folder.wake()

    def _wake_loops(self) -> None:
        self._wake.set()
        self.delivery.wake()
        self.media.wake()
        self.typing.wake()
        for _, wake in self._logins.values():
            wake.set()

    async def _listen(self) -> None:
        """Channel messages to the workers' group: a hint to look earlier, never more."""
        while True:
            try:
                layer = get_channel_layer()
                if layer is None:
                    return
                channel = await layer.new_channel()
                await layer.group_add(streams.WORKERS, channel)
                while True:
                    await layer.receive(channel)
                    self.wake()
            except Exception:
                logger.warning("the worker hears no wake-ups; it sweeps", exc_info=True)
                await asyncio.sleep(SWEEP_S)


async def _all_of(*steps: Awaitable[None]) -> None:
    """Steps of a stop: one that fails, a database that is away, must not keep the others."""
    for error in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(error, BaseException):
            logger.error("a step of the worker's stop failed", exc_info=error)


def _is_known(worker_id: str) -> bool:
    return WorkerBeat.objects.filter(pk=worker_id).exists()


def _retire(worker_id: str) -> None:
    try:
        leases.retire(worker_id)
    finally:
        connections.close_all()
