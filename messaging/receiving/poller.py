"""Polls one session in a loop: ask, store, ask again. Backs off on errors; ends if the token dies.

It never polls before the last answer is stored, and never changes a newer binding.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from messaging.receiving import poll_notes
from messaging.receiving.answers import Received, RecentMessages
from messaging.receiving.binding import Binding, Heard
from messaging.receiving.good_polls import GoodPolls
from messaging.receiving.poll_notes import GaveUp
from messaging.receiving.recorder import Recorder
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import (
    GatewayError,
    ILinkError,
    NotSentError,
    RefusedError,
    SessionExpiredError,
    UnreadableAnswerError,
)
from sessions_app.ilink.wire import Updates
from sessions_app.monitoring import meters, traces
from sessions_app.sessions.health import SILENT_AFTER_S
from sessions_app.sessions.lease_clock import LeaseClock

logger = logging.getLogger(__name__)

SIGNED_OUT = -14
INSTANT_S = 0.3
LONGEST_REST_S = 30.0
"""If answers without anything new come at once, again and again, polls wait 2, 4, 8 … 30 s."""
DOUBT_PAUSE_S = 2.0
"""Seconds between a first -14 and the calls that decide, so that a short glitch can pass."""
STANDSTILL_REST_S = 2.0
"""Seconds between polls if new messages come at once but the cursor never moves."""
REMEMBERED = 2_000
"""How many of the last messages of a session are known again at the next poll."""


class Poller:
    """The poll loop of one binding. `run()` returns when the token dies or `stopping` is set.

    `is_asking`: a poll is in flight, or its answer is not stored yet.
    """

    def __init__(
        self,
        binding: Binding,
        *,
        client: ILinkClient,
        recorder: Recorder,
        run_in_database_thread: RunInDatabaseThread,
        heard: dict[Binding, Heard],
        backoff: Backoff,
        given_up: dict[Binding, GaveUp] | None = None,
        good_polls: GoodPolls | None = None,
        in_doubt: bool = False,
        stopping: asyncio.Event | None = None,
        lease: LeaseClock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] | None = None,
        doubt_s: float = DOUBT_PAUSE_S,
    ) -> None:
        """`heard`, `given_up`: where good polls and the gateway's refusals are noted.

        `good_polls`: writes the first good poll, together with those of other loops.

        `lease`: until when the worker may poll. By default, for ever.
        `in_doubt`: some call was answered -14 before, so the first poll decides.
        `doubt_s`: between a first -14 and the calls that decide.
        """
        self.binding = binding
        self.client = client
        self.recorder = recorder
        self.run_in_database_thread = run_in_database_thread
        self.heard = heard
        self.given_up = {} if given_up is None else given_up
        self.good_polls = good_polls or GoodPolls(run_in_database_thread)
        self.stopping = stopping or asyncio.Event()
        self.lease = lease or LeaseClock()
        self.is_asking = False
        self.sleep = sleep
        self.now = now
        self.clock = clock or asyncio.get_running_loop().time
        self.backoff = backoff
        self.doubt_s = doubt_s
        self.cursor = self.stored_cursor = binding.cursor
        self.hold_ms = binding.hold_ms
        self._was_good = False
        self._was_announced = False
        self._in_doubt = in_doubt
        self._is_vouching = False
        self._instant_empties = 0
        self._known = RecentMessages(REMEMBERED)
        self._heard_at = self.clock()

    async def run(self) -> None:
        while not self.stopping.is_set():
            await self.recorder.until_open()
            await self.lease.until_current()
            if not self._was_announced:
                await self._announce_start()
            if self.stopping.is_set():
                return
            if not self.lease.is_current:
                continue
            began, asked_with = self.clock(), self.cursor
            try:
                updates = await self._ask()
            except ILinkError as error:
                if not self.stopping.is_set():
                    await self._failed(*describe(error))
                continue
            meters.POLLS.labels(_result(updates)).inc()
            if updates.code == SIGNED_OUT:
                if await self._is_over():
                    return
                continue
            if self.stopping.is_set():
                return
            if updates.code != 0:
                detail = updates.error_message or f"code {updates.code}"
                await self._failed("refused", detail[:200], is_counted=True)
                continue
            if updates.broke_off:
                code = "broke_off" if updates.begins_as_json else "unreadable"
                await self._failed(code, updates.broke_off, is_counted=True)
                continue
            if updates.is_unusable:
                await self._failed("unreadable", "neither messages nor a cursor", is_counted=True)
                continue
            await self._note(updates)
            await self._rest(updates, self.clock() - began, moved=self.cursor != asked_with)

    async def _is_over(self) -> bool:
        """Handle -14.

        The first is a suspicion: notifystart and one more poll decide. True: expired.
        """
        if self._in_doubt:
            await self.run_in_database_thread(poll_notes.signed_out, self.binding)
            return True
        self._in_doubt, self._was_announced = True, False
        await self.run_in_database_thread(poll_notes.doubt, self.binding)
        if not self.stopping.is_set():
            await self.sleep(self.doubt_s)
        return False

    async def doubt(self) -> None:
        """Another call was answered -14: check now, beside a poll that may be in flight.

        If notifystart succeeds, the session is alive. Only a poll can prove that it has expired.
        """
        if self._in_doubt or self._is_vouching:
            return
        self._in_doubt = self._is_vouching = True
        try:
            await self.client.notify_start()
        except ILinkError as error:
            logger.info("session %s in doubt: notifystart: %s", self.binding.session_id, error)
            self._was_announced = isinstance(error, RefusedError) and self._was_announced
        else:
            self._in_doubt = False
            await self.run_in_database_thread(poll_notes.vouched, self.binding)
        finally:
            self._is_vouching = False

    async def _note(self, updates: Updates) -> None:
        if updates.gateway_status:
            self.given_up[self.binding] = GaveUp(self.now(), updates.gateway_status)
        elif not updates.unanswered:
            if self._in_doubt:
                self._in_doubt = False
                await self.run_in_database_thread(poll_notes.vouched, self.binding)
            await self._good()

    def is_silent(self) -> bool:
        """True if WeChat was silent for 90 s without an error; the caller decides what that
        means."""
        return self.clock() - self._heard_at > SILENT_AFTER_S

    def begin_anew(self) -> None:
        """The silence is recorded, so the next good poll must be recorded at once."""
        self._was_good, self._heard_at = False, self.clock()

    async def _ask(self) -> Updates:
        """Poll once. When this returns, the answer is stored."""
        self.is_asking = True
        try:
            updates = await self.client.get_updates(self.cursor, hold_ms=self.hold_ms)
            if updates.messages or updates.strays or updates.code == 0:
                await self._store(updates)
        finally:
            self.is_asking = False
        return updates

    async def _announce_start(self) -> None:
        """Without notifystart only the first reply after a connect arrives (as users reported).

        If it cannot be sent, it is repeated before the next poll; if WeChat refuses it, it is not.
        Its answer proves that the token is alive, up to 35 s before the first poll answers.
        """
        try:
            await self.client.notify_start()
        except ILinkError as error:
            logger.info("session %s: notifystart: %s", self.binding.session_id, error)
            self._was_announced = isinstance(error, RefusedError)
            if isinstance(error, SessionExpiredError) and not self._in_doubt:
                self._in_doubt = True
                await self.run_in_database_thread(poll_notes.doubt, self.binding)
        else:
            self._was_announced = True
            await self._good()

    async def _store(self, updates: Updates) -> None:
        """Store the answer before the next poll. It must not be cancelled half-way."""
        answer = Received(
            session_id=self.binding.session_id,
            generation=self.binding.generation,
            request_cursor=self.cursor,
            updates=updates,
            received_at=self.now(),
            trace_id=traces.new_id() if updates.messages else "",
            lease_number=self.binding.lease_number,
        )
        is_stored = bool(updates.messages or updates.strays or updates.broke_off)
        if is_stored:
            await asyncio.shield(self.recorder.store(answer))
        if updates.code == 0:
            self.cursor = self.cursor if updates.cursor is None else updates.cursor
            if is_stored:
                self.heard.pop(self.binding, None)  # what it says of the cursor is out of date
                self.stored_cursor = self.cursor
            elif self.cursor != self.stored_cursor:  # also of a poll that ends with a stop
                self.heard[self.binding] = self._what_was_heard()
        self.hold_ms = updates.longpoll_timeout_ms or self.hold_ms

    async def _good(self) -> None:
        """The cursor of an empty answer is only noted: losing it costs nothing."""
        self.backoff.succeeded()
        self._heard_at = self.clock()
        if self._was_good:
            self.heard[self.binding] = self._what_was_heard()
            return
        await self.good_polls.note(self.binding, self.now())
        self._was_good = True

    def _what_was_heard(self) -> Heard:
        return Heard(self.now(), self.cursor, self.stored_cursor, self.hold_ms)

    def was_written(self, heard: Heard) -> None:
        """The row holds this cursor now, unless a message moved it meanwhile."""
        if self.stored_cursor == heard.stored_cursor:
            self.stored_cursor = heard.cursor

    async def _rest(self, updates: Updates, took_s: float, *, moved: bool) -> None:
        """Pause if the server does not hold polls, unless it announced a short hold.

        Messages that came before are nothing new, whatever cursor they come with.
        """
        declared_s = (updates.longpoll_timeout_ms or 35_000) / 1000
        brings_news = self._known.brings_news(updates.messages)
        if took_s >= min(INSTANT_S, 0.8 * declared_s) or (brings_news and moved):
            self._instant_empties = 0
            return
        if brings_news:
            await self.sleep(STANDSTILL_REST_S)
            return
        self._instant_empties += 1
        await self.sleep(min(LONGEST_REST_S, 2.0**self._instant_empties))

    async def _failed(self, code: str, detail: str, *, is_counted: bool = False) -> None:
        if not is_counted:
            meters.POLLS.labels(code).inc()
        wait_s = self.backoff.failed()
        self._was_good, self._heard_at = False, self.clock()
        logger.warning(
            "session %s: poll failed %s times: %s %s",
            self.binding.session_id, self.backoff.failures, code, detail,
        )  # fmt: skip
        next_at = self.now() + timedelta(seconds=wait_s)
        await self.run_in_database_thread(
            poll_notes.failed_poll,
            self.binding,
            failures=self.backoff.failures,
            code=code,
            detail=detail,
            next_at=next_at,
        )
        await self.sleep(wait_s)


def _result(updates: Updates) -> str:
    """What became of a poll that WeChat, or a gateway on its behalf, answered; for `meters`."""
    if updates.code == SIGNED_OUT:
        return "signed_out"
    if updates.code != 0:
        return "refused"
    if updates.broke_off:
        return "broke_off" if updates.begins_as_json else "unreadable"
    if updates.gateway_status:
        return "gateway"
    if updates.is_unusable:
        return "unreadable"
    return "messages" if updates.messages else "empty"


def describe(error: ILinkError) -> tuple[str, str]:
    """(reason code, detail) of a failed poll, for `reasons.sentence`."""
    match error:
        case GatewayError():
            return "http", str(error.status)
        case NotSentError():
            return "unreachable", str(error)
        case UnreadableAnswerError():
            return "unreadable", str(error)
    return "line_broken", str(error)
