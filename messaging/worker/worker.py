"""The worker: one asyncio component that polls, drives logins, sends, and says that it lives.

Its work is found in the database at least once a second; a channel message only wakes it earlier.
The same component runs in the web process (`console`) and alone (`poller`).
"""

import asyncio
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
from messaging.worker.pauses import USUAL, Pauses
from sessions_app.database.database_thread import DatabaseThread, RunInDatabaseThread
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ClientIdentity
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.login.driver import LoginDriver
from sessions_app.loops.wake_or_sweep import WakeOrSweep, is_set_within
from sessions_app.models import WorkerBeat
from sessions_app.realtime import streams
from sessions_app.sessions import leases

logger = logging.getLogger(__name__)

NOTIFY_STOP_S = 2.0
STOP_LOOPS_S = 0.3
STOP_LAST_S = 0.5
"""A database that hangs must not keep the last step of a stop."""
SETTLE_S = 15.0
"""Declared dead, a worker waits so long for its sends before it is somebody new."""
MAX_SESSIONS = 3000


class Worker:
    """`await start()`, later `await stop()`; both in the loop that owns the channel layer."""

    def __init__(
        self,
        *,
        identity: ClientIdentity,
        data_dir: Path,
        alone: bool = False,
        pauses: Pauses = USUAL,
    ) -> None:
        """`alone`: this process holds the data, so whoever else is written as alive is gone."""
        self.alone = alone
        self.pauses = pauses
        self.worker_id = ""
        self.hosts = HostPolicy(settings.WEILINK_ILINK_URL, settings.WEILINK_CDN_URL)
        self.clients = ClientPool(identity=identity, hosts=self.hosts)
        self.recorder = Recorder(Spool(data_dir / "spool"), away_retry_s=pauses.away_retry_s)
        self._database_thread = DatabaseThread("worker")
        self.run_in_database_thread: RunInDatabaseThread = self._database_thread.run
        self.polls = PollSupervisor(
            clients=self.clients,
            recorder=self.recorder,
            run_in_database_thread=self.run_in_database_thread,
            random=random.random,
            new_backoff=self._new_backoff,
            doubt_s=pauses.doubt_s,
            ask_again_s=pauses.ask_again_s,
            write_heard_s=pauses.write_heard_s,
        )
        self.delivery = Delivery(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            sweep_s=pauses.sweep_s,
        )
        self.folder = self._folder(data_dir) if settings.WEILINK_STORE == "files" else None
        self.media = MediaWork(
            clients=self.clients,
            worker_id=lambda: self.worker_id,
            sweep_s=pauses.sweep_s,
            tidy_every_s=pauses.tidy_every_s,
        )
        self.leavers = Leavers()
        self.typing = TypingSupervisor(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            clock=time.monotonic,
            sweep_s=pauses.sweep_s,
            stop_pauses=pauses.typing_stop_pauses,
        )
        self._logins: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._sweeping = self._loop("the worker could not look around", pauses.sweep_s)
        self._looking = asyncio.Lock()
        self._stopping = False

    def _new_backoff(self) -> Backoff:
        return Backoff(random.random, self.pauses.retry_s, self.pauses.retry_later_s)

    def _folder(self, data_dir: Path) -> FolderSupervisor:
        return FolderSupervisor(
            base=settings.WEILINK_BASE_PATH,
            data_dir=data_dir,
            polls=self.polls,
            recorder=self.recorder,
            wake_worker=self._wake_loops,
            sweep_s=self.pauses.sweep_s,
            look_s=self.pauses.folder_look_s,
            watch_again_s=self.pauses.folder_watch_again_s,
            free_for_s=self.pauses.folder_free_for_s,
        )

    def _loop(self, error_text: str, every_s: float, first_after_s: float = 0.0) -> WakeOrSweep:
        return WakeOrSweep(
            every_s=every_s, first_after_s=first_after_s, logger=logger, error_text=error_text
        )

    async def start(self) -> None:
        streams.attach_loop(asyncio.get_running_loop())
        await self._register()
        await self.run_in_database_thread(outbox.disown_lost)
        await self.run_in_database_thread(poll_notes.say_unreadable)
        await self.recorder.start()
        self._tasks = [asyncio.ensure_future(job) for job in self._jobs()]
        if self.folder is not None:
            self._tasks.append(asyncio.ensure_future(self.folder.run()))
        self.media.start()

    def _jobs(self) -> tuple[Awaitable[None], ...]:
        pauses = self.pauses
        beating = self._loop("the worker's beat could not be written", pauses.beat_s, pauses.beat_s)
        learning = self._loop(
            "the database could not learn its sizes", pauses.learn_every_s, pauses.learn_after_s
        )
        releasing = self._loop(
            "conversations of members who left could not be looked up", pauses.leavers_every_s
        )
        return (
            beating.run(self._beat),
            self._sweeping.run(self._look_around),
            self._listen(),
            self._deliver(),
            self.typing.run(),
            self.polls.write_heard(),
            learning.run(self._learn_sizes),
            releasing.run(self._release),
        )

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
        if not await self.run_in_database_thread(leases.beat, self.worker_id):
            await self._start_over()

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
            await is_set_within(self.folder.is_settled, self.pauses.settled_within_s)
        await asyncio.sleep(self.pauses.catch_up_s)
        await self.delivery.run()

    async def _release(self) -> None:
        """Conversations of members who left go back to the team."""
        await self.run_in_database_thread(self.leavers.look)

    async def _learn_sizes(self) -> None:
        await self.run_in_database_thread(analyze.learn_sizes)

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
            new_backoff=self._new_backoff,
            poll_pause_s=self.pauses.login_poll_s,
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
        self._sweeping.wake()
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
                await asyncio.sleep(self.pauses.sweep_s)


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
