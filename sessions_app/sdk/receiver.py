"""Receives for `recv`: polls all sessions at once, keeps what they bring until the caller has it.

It must never cancel a poll but in `aclose`, and never write a cursor of an answer that the caller
may not have. The poll lock is held while a poll is open or an answer is not settled.

An answer is synced to the folder, handed to the caller, and at the next call its cursor is written
and its file removed. Whoever is killed in between leaves the file; the next process delivers it.
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

from .errors import NotLoggedInError
from .ledger import Ledger
from .lines import Lines
from .streams import Batch, Stream, contexts_of

logger = logging.getLogger(__name__)

LOCK_EVERY_S = 0.05
LOOK_EVERY_S = 1.0
SETTLE_LIMIT_S = 2.0
ARRIVAL_LIMIT_S = 0.5


class Receiver:
    """Lives on the background loop; only `take` is called from elsewhere."""

    def __init__(self, folder: SessionFolder, lines: Lines, ledger: Ledger) -> None:
        self._folder = folder
        self._lines = lines
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
        """Until something can be taken or `timeout_s` is over.

        Raises NotLoggedInError, and SessionExpiredError when WeChat has ended every session.
        """
        clock = asyncio.get_running_loop().time
        end_at = clock() + timeout_s
        self._waiting += 1
        try:
            await self._settle()
            self._looked_at = float("-inf")
            while not self._ready:
                self._changed.clear()
                pause_s = await self._poll_on(clock())
                left_s = end_at - clock()
                if self._ready or left_s <= 0:
                    return
                await self._wait_for_change(min(left_s, pause_s))
        finally:
            self._waiting -= 1
            self._release_if_idle()

    def take(self) -> list[Batch]:
        """What has arrived; the caller has it from now on. From any thread."""
        with self._guard:
            taken, self._ready = self._ready, []
            self._delivered += taken
        return taken

    async def aclose(self) -> None:
        """Settle what the caller has, hang up, leave the rest in the folder."""
        self._waiting += 1  # nothing is released half-way
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

    async def _poll_on(self, now: float) -> float:
        """Open what may be polled; the seconds after which it is worth to look again."""
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            await self._look()
        if not self._wanted and not self._tasks and not self._ready:
            raise NotLoggedInError
        alive = [one for one in self._wanted if one.token.token not in self._lines.dead]
        if not alive and not self._tasks and not self._ready:
            raise SessionExpiredError(SESSION_EXPIRED)
        if self._lock is None and not await self._take_lock():
            return LOCK_EVERY_S
        pause_s = LOOK_EVERY_S
        for stream in alive:
            if not stream.is_open and stream.not_before <= now:
                self._open(stream)
            elif not stream.is_open:
                pause_s = min(pause_s, stream.not_before - now)
        return pause_s

    async def _look(self) -> None:
        """Which sessions the folder holds now; new ones get a stream, gone ones are not asked."""
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
        """The poll lock, if it is free; then the folder's cursors and leftovers are ours."""
        try:
            self._lock = self._folder.poll_lock.try_take()
        except FolderError as error:
            logger.warning("the poll lock cannot be taken: %s", error)
        if self._lock is None:
            return False
        await self._look()
        listing = await asyncio.to_thread(self._folder.scan)
        cursors = {one.token.token: one.token.cursor for one in listing.usable() if one.token}
        for stream in self._wanted:
            stream.cursor = cursors.get(stream.token.token, stream.cursor)
        await self._adopt(await asyncio.to_thread(self._folder.kept_answers))
        return True

    async def _adopt(self, kept: Iterable[KeptAnswer]) -> None:
        """Answers that an earlier process left undelivered."""
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
                # Somebody polled since: the folder's cursor is further on.
                stream.cursor, batched.cursor_after = before, None
            batched.keys.append(answer.key)
            self._ledger.note(stream.token, contexts_of(updates, answer.bot_id, self._folder.now()))
            self._hand_in(batched)

    def _open(self, stream: Stream) -> None:
        stream.is_open = True
        task = asyncio.get_running_loop().create_task(self._poll(stream))
        self._tasks[task] = stream
        task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
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
            line = self._lines.line(stream.token)
            await line.announce()
            began_at = clock()
            updates = await line.client.get_updates(stream.cursor, hold_ms=stream.hold_ms)
        except UnsafeHostError as error:
            logger.error("session %s: %s", stream.session, error)
            stream.failed(clock())
            return
        except ILinkError as error:
            logger.warning("session %s: %s", stream.session, error)
            stream.failed(clock())
            return
        stream.is_storing = True
        await self._take_in(stream, updates)
        if updates.code == SESSION_EXPIRED:
            line.is_announced = False  # notifystart and one more poll decide
            if stream.doubted(clock()):
                logger.warning("session %s: WeChat has ended it", stream.session)
                self._lines.dead.add(stream.token.token)
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

    async def _take_in(self, stream: Stream, updates: Updates) -> None:
        """Safe on disk before anybody sees it and before the next poll."""
        before, fresh = stream.cursor, stream.fresh(updates)
        batch = stream.batch(updates, fresh)
        if fresh:
            raw = _whole(updates) if updates.broke_off else updates.raw
            answer = KeptAnswer(stream.token.bot_id, before, batch.cursor_after or "", raw)
            try:
                batch.keys.append(await asyncio.to_thread(self._folder.keep_answer, answer))
            except (FolderError, OSError) as error:
                logger.warning("an answer could not be kept in the folder: %s", error)
        contexts = contexts_of(updates, stream.token.bot_id, self._folder.now())
        if contexts:
            self._ledger.note(stream.token, contexts)
            await asyncio.to_thread(self._write_down, [], ARRIVAL_LIMIT_S)
        if batch.messages:
            self._hand_in(batch)
        elif batch.cursor_after not in (None, before):
            with self._guard:
                self._delivered.append(batch)

    def _hand_in(self, batch: Batch) -> None:
        with self._guard:
            if batch.messages:
                self._ready.append(batch)
            else:
                self._delivered.append(batch)
        self._changed.set()

    async def _settle(self) -> None:
        """Write the cursors of what the caller has, and forget its files; later if that fails."""
        with self._guard:
            batches, self._delivered = self._delivered, []
        if batches and not await asyncio.to_thread(self._write_down, batches):
            with self._guard:
                self._delivered = batches + self._delivered

    def _write_down(self, batches: list[Batch], limit_s: float = SETTLE_LIMIT_S) -> bool:
        """In a thread: contexts and cursors in one go under the lock. False: not this time."""
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
        """Let others poll. A cursor that passed over no message is not worth keeping the lock."""
        held, self._lock = self._lock, None
        if held is not None:
            with self._guard:
                self._delivered = [one for one in self._delivered if one.messages or one.keys]
            held.release()


def _whole(updates: Updates) -> bytes:
    """The messages of an answer that broke off, as an answer that every reader understands."""
    return b'{"msgs":[' + b",".join(message.raw for message in updates.messages) + b"]}"
