"""Receives for `recv`: polls all sessions in parallel and keeps answers until the caller has them.

Polls are cancelled only in `aclose`. The cursor of an answer is written only when the caller
certainly has its messages. The poll lock is held while a poll is open or an answer is not settled.

An answer is stored in the folder and returned to the caller. At the next call its cursor is written
and its file removed. If the process is killed in between, the file remains and the next process
delivers it.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Iterable

from sessions_app.folder.store import (
    FolderBusyError,
    FolderError,
    HeldLock,
    KeptAnswer,
    SessionFolder,
    StoredToken,
)
from sessions_app.ilink.errors import (
    SESSION_EXPIRED,
    ILinkError,
    SessionExpiredError,
    UnreadableAnswerError,
    UnsafeHostError,
    refusal,
)
from sessions_app.ilink.wire import Updates, parse_updates

from .connections import Connections
from .errors import NotLoggedInError
from .ledger import Ledger
from .streams import Batch, Stream, contexts_of

logger = logging.getLogger(__name__)

LOCK_EVERY_S = 0.05
LOOK_EVERY_S = 1.0
SETTLE_LIMIT_S = 2.0
ARRIVAL_LIMIT_S = 0.5


class Receiver:
    """Runs on the background loop. Only `take` is called from other threads."""

    def __init__(self, folder: SessionFolder, connections: Connections, ledger: Ledger) -> None:
        self._folder = folder
        self._connections = connections
        self._ledger = ledger
        self._streams: dict[str, Stream] = {}
        self._wanted: list[Stream] = []
        self._tasks: dict[asyncio.Task[None], Stream] = {}
        self._lock: HeldLock | None = None
        self._changed = asyncio.Event()
        self._guard = threading.Lock()
        self._ready: list[Batch] = []
        self._delivered: list[Batch] = []
        self._waiting = 0
        self._looked_at = float("-inf")

    async def wait(self, timeout_s: float) -> None:
        """Wait until messages can be taken or `timeout_s` is over.

        Raises NotLoggedInError, and SessionExpiredError if WeChat has ended every session.
        """
        clock = asyncio.get_running_loop().time
        end_at = clock() + timeout_s
        self._waiting += 1
        try:
            await self._settle()
            self._looked_at = float("-inf")
            while not self._ready:
                self._changed.clear()
                pause_s = await self._start_polls(clock())
                left_s = end_at - clock()
                if self._ready or left_s <= 0:
                    return
                await self._wait_for_change(min(left_s, pause_s))
        finally:
            self._waiting -= 1
            self._release_if_idle()

    def take(self) -> list[Batch]:
        """Return what has arrived. From now on the caller has it. Callable from any thread."""
        with self._guard:
            taken, self._ready = self._ready, []
            self._delivered += taken
        return taken

    async def aclose(self) -> None:
        """Settle what the caller has, close the connections, leave the rest in the folder."""
        self._waiting += 1  # keeps the poll lock from being released meanwhile
        await self._settle()
        for task, stream in self._tasks.items():
            if not stream.is_storing:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._settle()
        self._release()

    async def _wait_for_change(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.0, seconds))
        except TimeoutError:
            return

    async def _start_polls(self, now: float) -> float:
        """Start polls that are due. Returns the seconds until the next may be due."""
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            await self._reload_sessions()
        if not self._wanted and not self._tasks and not self._ready:
            raise NotLoggedInError
        alive = [one for one in self._wanted if one.token.token not in self._connections.dead]
        if not alive and not self._tasks and not self._ready:
            raise SessionExpiredError(SESSION_EXPIRED)
        if self._lock is None and not await self._take_lock():
            return LOCK_EVERY_S
        pause_s = LOOK_EVERY_S
        for stream in alive:
            if not stream.is_open and stream.not_before <= now:
                self._open_poll(stream)
            elif not stream.is_open:
                pause_s = min(pause_s, stream.not_before - now)
        return pause_s

    async def _reload_sessions(self) -> None:
        """Read the folder's sessions.

        Create streams for new ones and stop polling those that are gone.
        """
        listing = await asyncio.to_thread(self._folder.scan)
        wanted = []
        for found in listing.usable():
            assert found.token is not None
            stream = self._streams.get(found.token.token)
            if stream is None:
                stream = Stream(found.token, found.name, random.random)
                self._streams[found.token.token] = stream
            stream.session = found.name
            wanted.append(stream)
        self._wanted = wanted

    async def _take_lock(self) -> bool:
        """Take the poll lock if it is free. Then the folder's cursors and kept answers are ours."""
        try:
            self._lock = self._folder.poll_lock.try_take()
        except FolderError as error:
            logger.warning("the poll lock cannot be taken: %s", error)
        if self._lock is None:
            return False
        await self._reload_sessions()
        listing = await asyncio.to_thread(self._folder.scan)
        cursors = {one.token.token: one.token.cursor for one in listing.usable() if one.token}
        for stream in self._wanted:
            stream.cursor = cursors.get(stream.token.token, stream.cursor)
        await self._deliver_kept(await asyncio.to_thread(self._folder.kept_answers))
        return True

    async def _deliver_kept(self, kept: Iterable[KeptAnswer]) -> None:
        """Deliver answers that an earlier process left."""
        by_bot = {stream.token.bot_id: stream for stream in self._wanted}
        for answer in kept:
            try:
                updates = parse_updates(answer.raw)
            except UnreadableAnswerError:
                continue
            stream = by_bot.get(answer.bot_id)
            if stream is None:
                stream = Stream(StoredToken(answer.bot_id, "", ""), "", random.random)
                by_bot[answer.bot_id] = stream
            before = stream.cursor
            batched = stream.batch(updates, stream.fresh(updates))
            if answer.cursor_before != before:
                # Another process polled since then: the folder's cursor is newer.
                stream.cursor, batched.cursor_after = before, None
            batched.keys.append(answer.key)
            self._ledger.note(stream.token, contexts_of(updates, answer.bot_id, self._folder.now()))
            self._deliver(batched)

    def _open_poll(self, stream: Stream) -> None:
        stream.is_open = True
        task = asyncio.get_running_loop().create_task(self._poll(stream))
        self._tasks[task] = stream
        task.add_done_callback(self._poll_ended)

    def _poll_ended(self, task: asyncio.Task[None]) -> None:
        stream = self._tasks.pop(task)
        stream.is_open = stream.is_storing = False
        if not task.cancelled() and (error := task.exception()):
            logger.error("session %s: polling failed", stream.session, exc_info=error)
            stream.failed(task.get_loop().time())
        self._changed.set()
        self._release_if_idle()

    async def _poll(self, stream: Stream) -> None:
        clock = asyncio.get_running_loop().time
        try:
            connection = self._connections.connection(stream.token)
            await connection.announce()
            began_at = clock()
            updates = await connection.client.get_updates(stream.cursor, hold_ms=stream.hold_ms)
        except UnsafeHostError as error:
            logger.error("session %s: %s", stream.session, error)
            stream.failed(clock())
            return
        except ILinkError as error:
            logger.warning("session %s: %s", stream.session, error)
            stream.failed(clock())
            return
        stream.is_storing = True
        await self._store_answer(stream, updates)
        if updates.code == SESSION_EXPIRED:
            connection.is_announced = False  # notifystart and one more poll decide
            if stream.doubted(clock()):
                logger.warning("session %s: WeChat has ended it", stream.session)
                self._connections.dead.add(stream.token.token)
        elif updates.broke_off:
            logger.warning(
                "session %s: an answer broke off; messages may be missing: %s",
                stream.session, updates.broke_off,
            )  # fmt: skip
            stream.failed(clock())
        elif updates.code != 0:
            logger.warning("session %s: %s", stream.session, refusal(updates.code))
            stream.failed(clock())
        else:
            stream.succeeded(updates, clock() - began_at, clock())

    async def _store_answer(self, stream: Stream, updates: Updates) -> None:
        """Store an answer on disk before the caller sees it and before the next poll."""
        before, fresh = stream.cursor, stream.fresh(updates)
        batch = stream.batch(updates, fresh)
        if fresh:
            raw = _as_whole_answer(updates) if updates.broke_off else updates.raw
            answer = KeptAnswer(stream.token.bot_id, before, batch.cursor_after or "", raw)
            try:
                batch.keys.append(await asyncio.to_thread(self._folder.keep_answer, answer))
            except (FolderError, OSError) as error:
                logger.warning("cannot store an answer in the folder: %s", error)
        contexts = contexts_of(updates, stream.token.bot_id, self._folder.now())
        if contexts:
            self._ledger.note(stream.token, contexts)
            await asyncio.to_thread(self._write_down, [], ARRIVAL_LIMIT_S)
        if batch.messages:
            self._deliver(batch)
        elif batch.cursor_after not in (None, before):
            with self._guard:
                self._delivered.append(batch)

    def _deliver(self, batch: Batch) -> None:
        with self._guard:
            if batch.messages:
                self._ready.append(batch)
            else:
                self._delivered.append(batch)
        self._changed.set()

    async def _settle(self) -> None:
        """Write the cursors of what the caller has and remove its files.

        On failure this is repeated later.
        """
        with self._guard:
            batches, self._delivered = self._delivered, []
        if batches and not await asyncio.to_thread(self._write_down, batches):
            with self._guard:
                self._delivered = batches + self._delivered

    def _write_down(self, batches: list[Batch], limit_s: float = SETTLE_LIMIT_S) -> bool:
        """In a thread: write contexts and cursors under one lock. Returns False if it failed."""
        cursors = {
            batch.token.token: (batch.cursor_after, batch.session)
            for batch in batches
            if batch.cursor_after is not None and batch.token.token
        }
        try:
            with self._folder.changing(limit_s=limit_s) as change:
                self._ledger.write_down(change)
                for bot_token, (cursor, session) in cursors.items():
                    change.write_cursor(bot_token, cursor, session)
            self._folder.drop_answers(key for batch in batches for key in batch.keys)
        except FolderBusyError:
            logger.info("the session folder is busy; cursors are written later")
            return False
        except (FolderError, OSError) as error:
            logger.warning("the session folder cannot be written: %s", error)
            return False
        return True

    def _release_if_idle(self) -> None:
        with self._guard:
            is_idle = not self._ready and not any(batch.messages for batch in self._delivered)
        if is_idle and not self._waiting and not self._tasks:
            self._release()

    def _release(self) -> None:
        """Release the poll lock. A cursor that skipped no message is not worth keeping the lock."""
        held, self._lock = self._lock, None
        if held is not None:
            with self._guard:
                self._delivered = [one for one in self._delivered if one.messages or one.keys]
            held.release()


def _as_whole_answer(updates: Updates) -> bytes:
    """The messages of an answer that broke off, as a valid answer."""
    return b'{"msgs":[' + b",".join(message.raw for message in updates.messages) + b"]}"
