"""The one writer of what polls bring: group commit, and a spool for when the database is away.

An answer in hand is never dropped: it is stored, or kept raw, or lies synced in the spool folder
until the database is back. While it lies there no new poll may start (`is_open`).
"""

import asyncio
import contextlib
import json
import logging
import os
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)
from django.db.models import F
from django.utils import timezone

from messaging.receiving import inbound
from messaging.receiving.answers import Received
from sessions_app.database.database_thread import DatabaseThread
from sessions_app.database.encryption import DecryptionError, decrypt_bytes, encrypt_bytes
from sessions_app.ilink.wire import parse_kept
from sessions_app.loops.wake_or_sweep import WakeOrSweep
from sessions_app.models import Session, Stream
from sessions_app.monitoring import meters
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.services import touch

logger = logging.getLogger(__name__)

MAX_GROUP = 200
COMPANY_S = 0.005
"""How long a group waits for more answers, under load only: a lone message is stored at once."""
AWAY_RETRY_S = 1.0
MAX_TRIES = 5
"""How often a spooled answer may fail while other writes go through; then it is kept raw."""
STOP_S = 2.0
CLOSE_S = 0.3
CLASH_TRIES = 4
"""How often a group that lost against another transaction is tried at once."""
_CLASHES = {"40001", "40P01"}
"""SQLSTATE serialization_failure and deadlock_detected: PostgreSQL says to try again."""
_AWAY = (OperationalError, InterfaceError)


def spool_folder(data_dir: Path) -> Path:
    """`spool`; with a database server, a folder in it for each database.

    Two databases have sessions of the same numbers, and may be used in turn from one folder.
    """
    database = connection.settings_dict
    folder = data_dir / "spool"
    if connection.vendor == "sqlite":
        return folder
    place = "_".join(str(database[key]) for key in ("HOST", "PORT", "NAME") if database[key])
    return folder / quote(place, safe="")


class Spool:
    """Sealed, synced files of answers that the database could not take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, answer: Received) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        head = {
            "trace_id": answer.trace_id,
            "session_id": answer.session_id,
            "generation": answer.generation,
            "lease_number": answer.lease_number,
            "request_cursor": answer.request_cursor,
            "received_at": answer.received_at.isoformat(),
            "broke_off": answer.updates.broke_off,
            "missing": answer.updates.missing,
        }
        data = json.dumps(head).encode("ascii") + b"\n" + answer.updates.raw
        name = f"{answer.received_at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        draft = self.folder / f".{name}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(encrypt_bytes(data))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.folder / f"{name}.answer")
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def waiting(self) -> list[Path]:
        return sorted(self.folder.glob("*.answer")) if self.folder.is_dir() else []

    def read(self, path: Path) -> Received:
        head, body = decrypt_bytes(path.read_bytes()).split(b"\n", 1)
        columns = json.loads(head)
        return Received(
            session_id=columns["session_id"],
            generation=columns["generation"],
            request_cursor=columns["request_cursor"],
            updates=parse_kept(body, columns.get("broke_off", ""), columns.get("missing")),
            received_at=datetime.fromisoformat(columns["received_at"]).astimezone(UTC),
            trace_id=columns.get("trace_id", ""),
            lease_number=columns.get("lease_number"),
        )


def database_takes_writes() -> bool:
    """Whether a write goes through now; a full disk or a lock lets one read and not write."""
    try:
        Stream.objects.update(last_number=F("last_number"))
    except (DatabaseError, InterfaceError):
        close_old_connections()
        return False
    return True


class Recorder:
    """`await store(answer)` returns when the answer is safe; many are stored in one commit."""

    def __init__(
        self,
        spool: Spool,
        *,
        store: Callable[[Sequence[Received]], int] = inbound.store,
        takes_writes: Callable[[], bool] = database_takes_writes,
        away_retry_s: float = AWAY_RETRY_S,
        stop_s: float = STOP_S,
    ) -> None:
        """`away_retry_s`: before the next try while the database is away.

        `stop_s`: how long a stop waits for what is in hand.
        """
        self.spool = spool
        self._store = store
        self._takes_writes = takes_writes
        self._away_retry_s = away_retry_s
        self._stop_s = stop_s
        self._queue: asyncio.Queue[tuple[Received, asyncio.Future[None]]] = asyncio.Queue()
        self._open = asyncio.Event()
        self._failures: Counter[str] = Counter()
        self._thread = DatabaseThread("recorder")
        self._mending = WakeOrSweep(
            every_s=away_retry_s,
            first_after_s=away_retry_s,
            logger=logger,
            error_text="the spool could not be emptied",
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._in_hand: list[tuple[Received, asyncio.Future[None]]] = []

    async def start(self) -> None:
        """Store first what an earlier process left in the spool."""
        await self._drain_spool()
        jobs = (self._run(), self._mending.run(self._mend))
        self._tasks = [asyncio.ensure_future(job) for job in jobs]

    async def stop(self) -> None:
        """Store what is in hand, then end; what the database does not take is spooled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._stop_s):
                await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closing = self._thread.submit(connections.close_all)
        if not await self._spool_the_rest():
            await asyncio.wait({asyncio.wrap_future(closing)}, timeout=CLOSE_S)
        self._thread.shutdown(wait=False)

    async def _spool_the_rest(self) -> int:
        """The recorder's thread hangs: what it may yet store is recognised as known later."""
        rest = self._in_hand
        while not self._queue.empty():
            rest.append(self._queue.get_nowait())
        for answer, done in rest:
            try:
                await asyncio.to_thread(self.spool.put, answer)
            except Exception:
                logger.exception("an answer of session %s is lost", answer.session_id)
            if not done.done():
                done.set_result(None)
        return len(rest)

    async def until_open(self) -> None:
        """Wait while the database is away: no new poll starts then."""
        await self._open.wait()

    def hold(self) -> None:
        """The database seems to be away: start no new poll before it takes writes again."""
        self._open.clear()

    async def store(self, answer: Received) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((answer, done))
        await done

    async def _run(self) -> None:
        is_busy = False
        while True:
            group = self._in_hand = [await self._queue.get()]
            if is_busy and self._queue.qsize() < MAX_GROUP - 1:
                await asyncio.sleep(COMPANY_S)
            while len(group) < MAX_GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            is_busy = len(group) > 1
            await self._secure([answer for answer, _ in group])
            self._in_hand = []
            for _, done in group:
                self._queue.task_done()
                if not done.done():
                    done.set_result(None)

    async def _secure(self, answers: Sequence[Received]) -> None:
        """Stored, else synced in the spool; while neither is possible they are held here.

        A full disk takes both at once. Whoever polls waits for this, so nothing more piles up.
        """
        while True:
            try:
                await self._thread.run(self._store_group, answers)
                return
            except Exception:
                logger.exception("%d answers could not be stored", len(answers))
            self._open.clear()
            try:
                await self._thread.run(self._put_all, answers)
                return
            except Exception:
                logger.exception("%d answers could not be spooled either", len(answers))
            await asyncio.sleep(self._away_retry_s)

    def _store_group(self, answers: Sequence[Received]) -> None:
        try:
            self._store_again(answers)
        except _AWAY:
            raise
        except Exception:
            logger.exception("%d answers could not be stored together", len(answers))
            for answer in answers:
                self._store_alone(answer)

    def _store_alone(self, answer: Received) -> None:
        try:
            self._store_again([answer])
        except _AWAY:
            raise
        except Exception:
            logger.exception("an answer of session %s is kept raw", answer.session_id)
            _keep_whole(answer)

    def _store_again(self, answers: Sequence[Received]) -> None:
        """Store; a transaction that only lost against another one is tried again at once."""
        for tries_left in reversed(range(CLASH_TRIES)):
            try:
                self._store(answers)
                return
            except OperationalError as error:
                # SQLite has waited for its lock already: once more, not again and again.
                if not tries_left or not _is_clash(error, is_first=tries_left == CLASH_TRIES - 1):
                    raise
                logger.info("%d answers are stored again: %s", len(answers), error)

    def _put_all(self, answers: Sequence[Received]) -> None:
        logger.error("%d answers go to the spool", len(answers))
        for answer in answers:
            self.spool.put(answer)
            meters.ANSWERS_SPOOLED.inc()

    async def _mend(self) -> None:
        """While something waits in the spool, try to store it."""
        if not self._open.is_set() or self.spool.waiting():
            await self._drain_spool()

    async def _drain_spool(self) -> None:
        if await self._thread.run(self._empty_spool):
            self._open.set()
        else:
            self._open.clear()

    def _empty_spool(self) -> bool:
        """True: the database takes writes and nothing waits any more."""
        return all(self._take_back(path) for path in self.spool.waiting()) and self._takes_writes()

    def _take_back(self, path: Path) -> bool:
        """Store one spooled answer. False: not yet, and no later one before it."""
        try:
            answer = self.spool.read(path)
        except FileNotFoundError:  # another worker of this host was faster
            return True
        except (DecryptionError, ValueError, KeyError):
            logger.exception("%s cannot be read; it is set aside, not deleted", path)
            path.rename(path.with_suffix(".unreadable"))
            return True
        try:
            self._store_group([answer])
        except Exception:
            logger.warning("%s is not stored yet", path, exc_info=True)
            if not self._is_poison(path):
                return False
            _keep_whole(answer)
        path.unlink(missing_ok=True)
        return True

    def _is_poison(self, path: Path) -> bool:
        """What fails again and again while other writes go through is not to block everybody."""
        close_old_connections()
        if not self._takes_writes():
            return False
        self._failures[path.name] += 1
        return self._failures[path.name] >= MAX_TRIES


def _is_clash(error: OperationalError, *, is_first: bool) -> bool:
    """The database is there; another transaction was in the way."""
    if getattr(error.__cause__, "sqlstate", None) in _CLASHES:
        return True
    return is_first and "database is locked" in str(error)


def _keep_whole(answer: Received) -> None:
    """An answer that fails alone: its bytes are kept and shown, and the cursor moves on."""
    with announcing() as change:
        session = Session.objects.select_for_update().filter(pk=answer.session_id).first()
        if session is None:
            return
        at = timezone.now()
        inbound.keep_raw(session, answer.updates.raw, reason="it could not be stored", at=at)
        inbound.move_cursor(answer, session)
        inbound.save_cursors([session])
        touch(change, session)
