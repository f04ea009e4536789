"""Announces changes to pages: stream numbers in the database, hints over the channel layer.

This is the only module that uses the channel layer. A transaction that changes what people see runs
inside `announcing()`. Its last statements advance the streams (sorted by key; the row locks last
until the commit) and write the numbers to the changed rows. After the commit one hint per stream is
sent. A lost hint does no harm, because pages ask what changed since the number they have. Rows are
locked in the same order everywhere, streams last (`LOCK_ORDER`).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, models, transaction

from sessions_app.models import Stream
from sessions_app.monitoring import traces
from sessions_app.monitoring.traces import Trace

logger = logging.getLogger(__name__)

WORKERS = "workers"
HINT = "stream.hint"
NOTICE = "stream.notice"
WAKE = "worker.wake"

LOCK_ORDER = ("session", "conversation", "context", "message")
"""The order in which transactions lock rows: by model, then by primary key, before any stream.

Two transactions that lock in opposite orders deadlock on PostgreSQL. One exception: the stream
"contact" comes before the conversations, which need the contacts it numbers.
"""

_loop: asyncio.AbstractEventLoop | None = None
_tasks: set[asyncio.Task[None]] = set()


def attach_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Set the event loop that owns the channel layer. Other threads hand their events to it."""
    global _loop
    _loop = loop


def group_of(stream_key: str) -> str:
    return "stream." + stream_key.replace(":", ".")


def advance(key: str, by: int = 1) -> int:
    """Advance a stream inside the running transaction. Returns its new last number."""
    return advance_all({key: by})[key]


def advance_all(steps: Mapping[str, int]) -> dict[str, int]:
    """Advance streams inside the running transaction, with one statement.

    Returns the new last number of each. Their rows are locked in the order of their keys.
    """
    known = _advanced(steps)
    missing = {key: steps[key] for key in sorted(steps.keys() - known.keys())}
    if missing:
        rows = [Stream(key=key) for key in missing]
        Stream.objects.bulk_create(rows, ignore_conflicts=True)
        known |= _advanced(missing)
    return known


def _advanced(steps: Mapping[str, int]) -> dict[str, int]:
    keys = sorted(steps)
    places = ", ".join(["%s"] * len(keys))
    by = f"CASE key {' '.join(['WHEN %s THEN %s'] * len(keys))} END"
    table = connection.ops.quote_name(Stream._meta.db_table)
    if connection.vendor == "postgresql":
        # An UPDATE alone locks its rows in any order.
        statement = (
            f"WITH locked AS (SELECT key FROM {table} WHERE key IN ({places}) "  # noqa: S608
            f'ORDER BY key COLLATE "C" FOR NO KEY UPDATE) UPDATE {table} AS stream '
            f"SET last_number = last_number + {by.replace('key', 'stream.key', 1)} FROM locked "
            f"WHERE stream.key = locked.key RETURNING stream.key, stream.last_number"
        )
        values: list[str | int] = [*keys, *(value for key in keys for value in (key, steps[key]))]
    else:
        statement = (
            f"UPDATE {table} SET last_number = last_number + {by} "  # noqa: S608
            f"WHERE key IN ({places}) RETURNING key, last_number"
        )
        values = [*(value for key in keys for value in (key, steps[key])), *keys]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return dict(cursor.fetchall())


def numbers_of(keys: list[str]) -> dict[str, int]:
    """The last number of each stream, 0 for a stream that was never used."""
    known = dict(Stream.objects.filter(pk__in=keys).values_list("key", "last_number"))
    return {key: known.get(key, 0) for key in keys}


class Change:
    """What one transaction announces: rows to number and topics, by stream."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[type[models.Model], dict[Any, list[models.Model]]]] = {}
        self._topics: dict[str, dict[str, None]] = defaultdict(dict)
        self._numbers: dict[str, int] = {}
        self._traces: dict[str, dict[Trace, None]] = defaultdict(dict)

    def number(
        self, stream_keys: Collection[str], besides: Mapping[str, int] | None = None
    ) -> dict[str, int]:
        """Advance these streams now, not in `close`, and `besides` by so much.

        For a transaction that has locked all its rows and names all streams that it will touch:
        it writes the numbers with the rows themselves, then calls `mention`. Returns the numbers.
        """
        steps = dict.fromkeys(set(stream_keys) - self._numbers.keys(), 1) | dict(besides or {})
        found = advance_all(steps) if steps else {}
        self._numbers |= {key: found[key] for key in stream_keys if key in found}
        return self._numbers | found

    def touch(self, row: models.Model, stream_key: str, topic: str) -> None:
        """Number a row and announce it. `row.version` becomes the stream's next number.

        `topic` tells pages what the change is about.
        """
        by_model = self._rows.setdefault(stream_key, {})
        by_model.setdefault(type(row), {}).setdefault(row.pk, []).append(row)
        self._topics[stream_key][topic] = None

    def mention(self, stream_key: str, topic: str) -> None:
        """Number and announce a topic without a row that keeps the number."""
        self._topics[stream_key][topic] = None

    def trace(self, stream_key: str, trace: Trace) -> None:
        """Name what is behind the change, where it is not the work at hand alone."""
        self._traces[stream_key][trace] = None

    def _traces_of(self, key: str) -> list[list[str | float]]:
        at_hand = traces.current_id()
        named = self._traces.get(key) or ({Trace(at_hand): None} if at_hand else {})
        return traces.as_sent(list(named))

    def close(self) -> None:
        """Advance the streams, number the rows, and announce on commit.

        Call this last in a transaction.
        """
        self._lock_rows()
        self.number(self._topics)
        for key in sorted(self._topics):
            number = self._numbers[key]
            for model, rows in self._rows.get(key, {}).items():
                model._default_manager.filter(pk__in=list(rows)).update(version=number)
                for copies in rows.values():
                    for row in copies:
                        row.version = number  # type: ignore[attr-defined]
            hint: dict[str, object] = {
                "type": HINT, "streams": {key: number}, "about": list(self._topics[key])
            }  # fmt: skip
            if behind := self._traces_of(key):
                hint["traces"] = behind
            transaction.on_commit(_SendOnCommit(group_of(key), hint))

    def _lock_rows(self) -> None:
        if not connection.features.has_select_for_update:
            return
        touched: dict[type[models.Model], set[Any]] = defaultdict(set)
        for by_model in self._rows.values():
            for model, rows in by_model.items():
                touched[model].update(rows)
        for model in sorted(touched, key=_lock_rank):
            rows_of = model._default_manager.select_for_update(no_key=True)
            # Read all rows: each is locked only when it is fetched.
            list(rows_of.filter(pk__in=touched[model]).order_by("pk").values_list("pk"))


def _lock_rank(model: type[models.Model]) -> tuple[int, str]:
    name = str(model._meta.model_name)
    return (LOCK_ORDER.index(name) if name in LOCK_ORDER else len(LOCK_ORDER), name)


class _SendOnCommit:
    """A group message to send after the commit."""

    def __init__(self, group: str, message: Mapping[str, object]) -> None:
        self.group = group
        self.message = dict(message)

    def __call__(self) -> None:
        _dispatch(self.group, self.message)


@contextmanager
def announcing() -> Iterator[Change]:
    """Open a transaction, and announce its changes on commit."""
    with transaction.atomic():
        change = Change()
        yield change
        change.close()


def tell(stream_key: str, notice: Mapping[str, object]) -> None:
    """Send a passing fact, such as who is typing, to the listeners of a stream. It has no number.

    It must do no harm if it is lost or late; use `announcing` for everything else.
    """
    transaction.on_commit(
        _SendOnCommit(
            group_of(stream_key), {"type": NOTICE, "stream": stream_key, "notice": dict(notice)}
        )
    )


def wake_workers() -> None:
    """Tell the workers on commit that there is work in the database."""
    transaction.on_commit(_SendOnCommit(WORKERS, {"type": WAKE}))


@contextmanager
def waking_workers() -> Iterator[None]:
    """Open a transaction, and wake the workers on commit."""
    with transaction.atomic():
        yield
        wake_workers()


def _dispatch(group: str, message: dict[str, object]) -> None:
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is not None:
        task = running.create_task(_send(group, message))
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    elif _loop is not None and _loop.is_running():
        asyncio.run_coroutine_threadsafe(_send(group, message), _loop)
    else:
        async_to_sync(_send)(group, message)


async def _send(group: str, message: dict[str, object]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        await asyncio.wait_for(layer.group_send(group, message), timeout=5)
    except Exception:
        # Pages find the change at their next heartbeat.
        logger.warning("cannot send a hint to %s", group, exc_info=True)


class Hearing:
    """The streams that one waiting caller listens to. Created by `hearing`."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    async def wait_for_hint(self, timeout_s: float) -> bool:
        """Wait for a hint since the last call. Returns False on timeout."""
        # Before Python 3.12, wait_for may swallow the cancellation of a server that shuts down.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    async def listen(self, layer: Any, channel: str) -> None:
        # A single receive for the whole time: cancelling one ends its channel on Redis.
        while True:
            await layer.receive(channel)
            self._heard.set()


@asynccontextmanager
async def hearing(keys: Iterable[str]) -> AsyncIterator[Hearing]:
    """Listen to these streams inside the `async with` block. Start it before the first read.

    Hints may be lost, and none come while Redis is down, so read again at least once a second.
    """
    hints, layer = Hearing(), get_channel_layer()
    channel, joined = "", []
    listening: asyncio.Task[None] | None = None
    try:
        try:
            channel = await layer.new_channel("waiting")
            for key in keys:
                await layer.group_add(group_of(key), channel)
                joined.append(group_of(key))
            listening = asyncio.create_task(hints.listen(layer, channel))
        except Exception:
            logger.warning("cannot listen for hints", exc_info=True)
        yield hints
    finally:
        for group in joined:
            with suppress(Exception):
                await layer.group_discard(group, channel)
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
