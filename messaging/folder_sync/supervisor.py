"""The folder side of the worker: mirrors, follows messages.db, and holds or hands over the polls.

One thread does all that touches files; the loop only waits for it. Of several workers of this
host one has the lock (`mirror.lock` beside the data); the others stand by until it falls free.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.db import connections
from django.utils import timezone
from watchfiles import awatch

from messaging.delivering import queue
from messaging.folder_sync.events import FolderEvents
from messaging.folder_sync.store_follower import StoreFollower
from messaging.receiving.answers import Received
from messaging.receiving.recorder import Recorder
from messaging.receiving.supervisor import PollSupervisor
from sessions_app.database.database_thread import DatabaseThread, with_living_connection
from sessions_app.folder.mirror import FREE_FOR_S, Mirror, Sweep, rows, shared
from sessions_app.folder.store import FolderLock, HeldLock, KeptAnswer, SessionFolder
from sessions_app.ilink.errors import UnreadableAnswerError
from sessions_app.ilink.wire import parse_updates
from sessions_app.loops.wake_or_sweep import SWEEP_S, WakeOrSweep
from sessions_app.models import Receiver, Session

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""While another program may let go of the poll lock."""
BEHIND_S = 0.02
EMPTY_SWEEPS = 4
"""Usual pauses between two looks while there is no session: a change of the folder wakes us."""
SPACING_S = 0.02
"""Many wake-ups at once are one look."""
WATCH_AGAIN_S = 2.0
STOP_S = 1.0
TRY_EVERY_S = 0.01
"""A program that answers without a pause leaves the data lock free for moments only."""
LOCK_FILE = "mirror.lock"


class FolderSupervisor:
    """`run()` beside the other jobs of the worker; `may_poll` says whether the lock is ours.

    `is_settled` is set once it is known who receives: we, another program, or nobody for now.
    """

    def __init__(
        self,
        *,
        base: Path,
        data_dir: Path,
        polls: PollSupervisor,
        recorder: Recorder,
        wake_worker: Callable[[], None],
        free_for_s: float = FREE_FOR_S,
        sweep_s: float = SWEEP_S,
        look_s: float = LOOK_S,
        watch_again_s: float = WATCH_AGAIN_S,
    ) -> None:
        """`free_for_s`: how long the poll lock must be found free to be taken.

        `look_s`: between two looks while another program may let go of the poll lock.
        `watch_again_s`: before a folder that could not be watched is watched again.
        """
        self.may_poll = False
        self.is_settled = asyncio.Event()
        self.polls = polls
        self.recorder = recorder
        self.folder = SessionFolder(base, try_every_s=TRY_EVERY_S)
        self.store = StoreFollower(self.folder.base)
        self.conversations = FolderEvents(self.store.is_followed)
        self.mirror = Mirror(self.folder, self.conversations, free_for_s=free_for_s)
        self._wake_worker = wake_worker
        self._lock = FolderLock(data_dir / LOCK_FILE)
        self._held: HeldLock | None = None
        self._thread = DatabaseThread("folder")
        self._sweep_s = sweep_s
        self._look_s = look_s
        self._watch_again_s = watch_again_s
        self._loop = WakeOrSweep(
            every_s=sweep_s,
            spacing_s=SPACING_S,
            logger=logger,
            error_text="the session folder could not be followed",
        )
        self._empty_s = min(EMPTY_SWEEPS * sweep_s, shared.SEEN_EVERY_S)
        self._was_ours = False
        self._has_news = False
        self._letting_go: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._loop.wake()

    async def run(self) -> None:
        await asyncio.gather(self._loop.run(self._follow), self._watch())

    async def stop(self) -> None:
        """The last cursors and counts, as far as the lock can be had; then let go.

        Called when nothing is polled or stored any more.
        """
        self.may_poll = False
        if self._letting_go is not None:
            self._letting_go.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._thread.run(self._let_go)
        self._thread.close()

    def _let_go(self) -> None:
        try:
            if self._held is not None:
                self.mirror.release()
                shared.note_receiver(Receiver.NOBODY)
        finally:
            self.mirror.lease.release()
            if self._held is not None:
                self._held.release()
            connections.close_all()

    async def _follow(self) -> float | None:
        if await self._thread.run(self._take_lock):
            return await self._look()
        self.is_settled.set()
        await self._thread.run(shared.note_silence)
        return None

    def _take_lock(self) -> bool:
        """True: this worker follows the folder. What the last one was doing is read at each try.

        Whoever stood by while a worker of ours received goes on at once, after a crash and after
        a stop, which notes that nobody receives just before the lock falls free.
        """
        if self._held is None:
            self._lock.path.parent.mkdir(parents=True, exist_ok=True)
            self._held = self._lock.try_take()
            receiver = shared.shared_folder().receiver
            if receiver not in (Receiver.NOBODY, Receiver.FROZEN):
                self._was_ours = receiver == Receiver.CONSOLE
        return self._held is not None

    async def _look(self) -> float:
        """One round; the seconds until the next one."""
        wants, sweep = await self._thread.run(self._read_and_write)
        if not wants and self.may_poll:
            self._stop_polling()
        await self._follow_lease(sweep, wants)
        if sweep.filed or self._has_news:
            self._wake_worker()
        if sweep.is_behind or self.store.is_behind or sweep.took_over:
            return BEHIND_S
        if not self.may_poll:
            return self._look_s
        return self._empty_s if sweep.is_empty else self._sweep_s

    def _read_and_write(self) -> tuple[bool, Sweep]:
        """All that touches files or the database in one round, in one call of the thread."""
        wants = shared.shared_folder().handed_over_at is None
        sweep = self.mirror.sweep(wants=wants, was_ours=self._was_ours)
        # What lies undelivered in the folder is older than the new rows of messages.db.
        self._has_news = not sweep.took_over and self.store.look()
        self.conversations.write_due()
        if sweep.is_busy:
            queue.note_busy_folder(timezone.now())
        return wants, sweep

    async def _follow_lease(self, sweep: Sweep, wants: bool) -> None:
        if sweep.receiver is not Receiver.NOBODY:
            self._was_ours = False
        if sweep.receiver is not Receiver.NOBODY or not wants:
            self.is_settled.set()
        if sweep.receiver is Receiver.CONSOLE and wants and self._letting_go is None:
            if sweep.took_over:
                await self._store_kept()
            if not self.may_poll:
                await self._thread.run(rows.polled_elsewhere, False)
                self.may_poll = True
                self._wake_worker()
            return
        if self.may_poll:  # the folder went away under us
            self._stop_polling()
        if sweep.receiver is Receiver.FROZEN:
            await self._thread.run(rows.held_by_stopped)
        elif sweep.receiver is Receiver.ANOTHER or not wants:
            await self._thread.run(rows.polled_elsewhere, True)

    def _stop_polling(self) -> None:
        """Polls in flight end by themselves, so that nothing they bring is lost; then the lock."""
        self.may_poll = False
        self._letting_go = asyncio.ensure_future(self.polls.hand_over())
        self._letting_go.add_done_callback(self._handed_over)

    def _handed_over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error("the polls were handed over badly", exc_info=task.exception())
        self._thread.submit(with_living_connection, self.mirror.release)
        self._letting_go = None
        self.wake()

    async def _store_kept(self) -> None:
        """What a Python program received and nobody has, as its `recv` left it in the folder."""
        kept = await self._thread.run(self.mirror.kept_answers)
        done = []
        for answer in kept:
            received = await self._thread.run(as_received, answer)
            if received is not None:
                await self.recorder.store(received)
                done.append(answer.key)
        if done:
            await self._thread.run(self.folder.drop_answers, done)

    async def _watch(self) -> None:
        """A change of the folder is followed at once; without a watch it is at the next look."""
        while True:
            try:
                await self._watch_once()
            except Exception as error:
                logger.info("the session folder is not watched now: %s", error)
            await asyncio.sleep(self._watch_again_s)

    async def _watch_once(self) -> None:
        base = self.folder.base
        if base.is_dir():
            async for _changes in awatch(base, watch_filter=None, debounce=200, step=50):
                self.wake()
                if not base.is_dir():
                    return


def as_received(answer: KeptAnswer) -> Received | None:
    """The answer as a poll of ours would have brought it; None when its session is not here."""
    session = Session.objects.filter(bot_id=answer.bot_id, deleted_at=None).first()
    if session is None:
        return None
    try:
        updates = parse_updates(answer.raw)
    except UnreadableAnswerError:
        return None
    if session.cursor != answer.cursor_before:
        # Somebody polled since: the cursor is further on and must not go back.
        updates = replace(updates, cursor=None)
    return Received(session.pk, session.generation, answer.cursor_before, updates, timezone.now())
