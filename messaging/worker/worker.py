"""The worker: one asyncio component that polls, drives logins, sends, and says that it lives.

One glance a second finds whether the database has work; a channel message only wakes it earlier.
The same component runs as a child of `console` and alone (`poller`).
"""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Collection
from pathlib import Path

from channels.layers import get_channel_layer
from django.conf import settings
from django.utils import timezone

from messaging.conversations.leavers import Leavers
from messaging.delivering import outbox
from messaging.delivering.delivery import Delivery
from messaging.folder_sync.supervisor import FolderSupervisor
from messaging.receiving import poll_notes
from messaging.receiving.client_pool import ClientPool
from messaging.receiving.recorder import Recorder, Spool, spool_folder
from messaging.receiving.supervisor import PollSupervisor
from messaging.replying import parking
from messaging.replying.typing_supervisor import TypingSupervisor
from messaging.transfers.work import MediaWork
from messaging.worker import due, held, stopping
from messaging.worker.chores import chores
from messaging.worker.glance import Glance, glance
from messaging.worker.logins import Logins
from messaging.worker.pauses import USUAL, Pauses
from sessions_app.database.database_thread import DatabaseThread, RunInDatabaseThread
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ClientIdentity
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.loops.wake_or_sweep import WakeOrSweep, is_set_within
from sessions_app.monitoring import meters, snapshots
from sessions_app.realtime import streams
from sessions_app.sessions import leases
from sessions_app.sessions.lease_clock import LeaseClock

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
        self.recorder = Recorder(Spool(spool_folder(data_dir)), away_retry_s=pauses.away_retry_s)
        self._database_thread = DatabaseThread("worker")
        self._beat_thread = DatabaseThread("beat")
        self.lease = self._lease_clock()
        self.run_in_database_thread: RunInDatabaseThread = self._database_thread.run
        self.polls = self._poll_supervisor()
        self.delivery = Delivery(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            lease=self.lease,
            sweep_s=pauses.rare_sweep_s,
            retry_s=pauses.sweep_s,
            look_back_s=pauses.look_back_s,
        )
        self.folder = self._folder(data_dir) if settings.WEILINK_STORE == "files" else None
        self.media = MediaWork(
            clients=self.clients,
            worker_id=lambda: self.worker_id,
            sweep_s=pauses.rare_sweep_s,
            tidy_every_s=pauses.tidy_every_s,
        )
        self.leavers = Leavers()
        self.typing = TypingSupervisor(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            clock=time.monotonic,
            sweep_s=pauses.rare_sweep_s,
            stop_pauses=pauses.typing_stop_pauses,
        )
        self.logins = self._driven_logins()
        self._tasks: list[asyncio.Task[None]] = []
        self._sweeping = self._loop("the worker could not look around", pauses.sweep_s)
        self._looking = asyncio.Lock()
        self._is_woken = False
        self._seen: tuple[int, str] | None = None
        self._looked_at = float("-inf")
        self._stopping = False
        self._beats = 0

    def _lease_clock(self) -> LeaseClock:
        """With a shared folder its poll lock is the lease, and a lock does not run out."""
        if settings.WEILINK_STORE == "files":
            return LeaseClock()
        return LeaseClock(lasts_s=self.pauses.lapses_after_s, judges_after_s=leases.BEAT_TTL_S)

    def _poll_supervisor(self) -> PollSupervisor:
        pauses = self.pauses
        return PollSupervisor(
            clients=self.clients,
            recorder=self.recorder,
            run_in_database_thread=self.run_in_database_thread,
            random=random.random,
            new_backoff=self._new_backoff,
            doubt_s=pauses.doubt_s,
            ask_again_s=pauses.ask_again_s,
            write_heard_s=pauses.write_heard_s,
            lease=self.lease,
        )

    def _driven_logins(self) -> Logins:
        return Logins(
            run_in_database_thread=self.run_in_database_thread,
            clients=self.clients,
            hosts=self.hosts,
            new_backoff=self._new_backoff,
            poll_pause_s=self.pauses.login_poll_s,
            ended=self.wake,
        )

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
        beating = self._loop(
            "the worker's beat could not be written", self.pauses.beat_s, self.pauses.beat_s
        )
        self._tasks = [asyncio.ensure_future(beating.run(self._beat))]
        if await held.may_work(self.run_in_database_thread):
            await self._begin()
        else:
            self._tasks.append(asyncio.ensure_future(self._begin_when_released()))

    async def _begin_when_released(self) -> None:
        await held.until_released(self.run_in_database_thread, self.pauses.sweep_s)
        await self._begin()

    async def _begin(self) -> None:
        await self.run_in_database_thread(outbox.disown_lost)
        await self.run_in_database_thread(poll_notes.say_unreadable)
        await self.recorder.start()
        self._tasks += [asyncio.ensure_future(job) for job in self._jobs()]
        if self.folder is not None:
            self._tasks.append(asyncio.ensure_future(self.folder.run()))
        else:
            self._tasks.append(asyncio.ensure_future(self._watch_lease()))
        self.media.start()

    def _jobs(self) -> tuple[Awaitable[None], ...]:
        return (
            self._sweeping.run(self._look_around),
            self._listen(),
            self._deliver(),
            self.typing.run(),
            self.polls.write_heard(),
            *chores(
                pauses=self.pauses,
                leavers=self.leavers,
                run_in_database_thread=self.run_in_database_thread,
                run_slow_work=self.media.run_in_database_thread,
            ),
        )

    async def _register(self) -> None:
        self.worker_id = uuid.uuid4().hex
        if self.alone:
            await self.run_in_database_thread(leases.retire_all)
        began = self.lease.now()
        await self.run_in_database_thread(leases.register, self.worker_id)
        self.lease.renew(began)
        self.delivery.worker_id = self.worker_id

    async def stop(self) -> None:
        """Within 5 s: polls let go, sends finish or are unconfirmed, what came is stored."""
        if self._stopping:
            return
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        if jobs := [*self._tasks, *self.logins.cancel()]:
            await asyncio.wait(jobs, timeout=STOP_LOOPS_S)
        await stopping.all_of(
            self.polls.stop(NOTIFY_STOP_S), self.delivery.stop(), self.media.stop()
        )
        await stopping.all_of(self.recorder.stop())
        if self.folder is not None:
            await stopping.all_of(self.folder.stop())
        await stopping.all_of(self.clients.close_all(), self._say_goodbye())
        self._database_thread.close()
        self._beat_thread.close()
        streams.attach_loop(None)

    async def _say_goodbye(self) -> None:
        async with asyncio.timeout(STOP_LAST_S):
            await self.run_in_database_thread(stopping.retire, self.worker_id)

    async def _beat(self) -> None:
        """In a thread of its own: other work must not make a living worker look dead.

        Every other time with what this process has counted, in the same statement.
        """
        self._beats += 1
        numbers = b""
        if self._beats % 2:
            meters.SPOOL.set(len(self.recorder.spool.waiting()))
            numbers = snapshots.packed()
        began, worker_id = self.lease.now(), self.worker_id
        try:
            is_known = await self._beat_thread.run(
                leases.beat, worker_id, numbers, judges=self.lease.may_judge
            )
        except Exception:
            self.recorder.hold()
            raise
        if worker_id != self.worker_id:
            return
        if not is_known:
            await self._start_over()
        elif self.lease.renew(began):
            logger.debug("heartbeats arrive again; polling goes on")
            self._wake_loops()

    async def _watch_lease(self) -> None:
        """Heartbeats do not arrive: end the polls before another worker begins its own."""
        while True:
            await self.lease.until_over()
            logger.debug("no heartbeat arrived for too long; polling waits for the database")
            self.polls.lapse()
            await self.lease.until_current()

    async def _start_over(self) -> None:
        """Declared dead while stalled: others may hold our sessions, so let go of all.

        Sends in flight end under the old name first: nobody here may call them lost.
        """
        logger.error("this worker was silent too long and was declared dead; it starts over")
        async with self._looking:
            await self.polls.drop_all()
            await self.delivery.settle(SETTLE_S)
            await held.until_released(self.run_in_database_thread, self.pauses.sweep_s)
            await self._register()
            await self.logins.take_again(self.worker_id)

    async def _deliver(self) -> None:
        """Who wrote while nobody polled gave a newer token; a reply with the older is refused."""
        if self.folder is not None:
            await is_set_within(self.folder.is_settled, self.pauses.settled_within_s)
        await asyncio.sleep(self.pauses.catch_up_s)
        await self.delivery.run()

    async def _look_around(self) -> None:
        async with self._looking:
            found = await self._glance()
            if not found.is_known:
                return  # what we would take is nobody's; the next beat starts over
            self._wake_for(found)
            if self._has_to_look(found):
                try:
                    await self._look_for_work()
                except Exception:
                    self._is_woken = True
                    raise

    async def _glance(self) -> Glance:
        try:
            return await self.run_in_database_thread(glance, self.worker_id, timezone.now())
        except Exception:
            self.recorder.hold()  # it opens again when the database takes writes
            raise

    async def _look_for_work(self) -> None:
        if self.lease.may_judge:
            await self.run_in_database_thread(leases.remove_dead, spare=self.worker_id)
        await self._look_at_sessions()
        await self.polls.look_at_doubts()
        await self.logins.claim(self.worker_id)
        await self.run_in_database_thread(outbox.disown_lost)
        await self.run_in_database_thread(due.look, timezone.now())
        await self.run_in_database_thread(parking.expire_due, timezone.now())

    def _wake_for(self, found: Glance) -> None:
        if found.outbox:
            self.delivery.wake()
        if found.outbox or found.files:  # a queued reply may wait for the upload of its file
            self.media.wake()
        if found.typing:
            self.typing.wake()

    def _has_to_look(self, found: Glance) -> bool:
        """Whether there may be work here. Now and then it is looked for in any case."""
        now = time.monotonic()
        is_due = now - self._looked_at >= self.pauses.rare_sweep_s
        seen = (found.sessions, found.workers)
        is_news = seen != self._seen or self.polls.is_letting_go
        if not (self._is_woken or found.chores or is_news or is_due):
            return False
        # A session that is still let go may be taken again, so it is looked at once more.
        self._seen = None if self.polls.is_letting_go else seen
        self._is_woken, self._looked_at = False, now
        return True

    async def _look_at_sessions(self) -> None:
        """With a shared folder, only the holder of its poll lock may poll, and then all sessions.

        Else each worker polls its fair share.
        """
        run = self.run_in_database_thread
        if self.folder is not None:
            if self.folder.may_poll:
                found = await run(leases.claim_all, self.worker_id, limit=MAX_SESSIONS)
                if self.folder.may_poll:
                    await self.polls.follow(found.sessions)
        elif self.lease.is_current:
            giving_up = frozenset(self.polls.giving_up)
            found = await run(
                leases.share_sessions, self.worker_id, limit=MAX_SESSIONS, letting_go=giving_up
            )
            self.polls.give_up(found.surplus, self._release_sessions)
            if self.lease.is_current:
                kept = [one for one in found.sessions if one.pk not in found.surplus]
                await self.polls.follow(kept)

    async def _release_sessions(self, session_ids: Collection[int]) -> None:
        await self.run_in_database_thread(leases.release, self.worker_id, session_ids)
        self._wake_loops()

    def wake(self) -> None:
        self._wake_loops()
        if self.folder is not None:
            self.folder.wake()

    def _wake_loops(self) -> None:
        self._is_woken = True
        self._sweeping.wake()
        self.delivery.wake()
        self.media.wake()
        self.typing.wake()
        self.logins.wake()

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
