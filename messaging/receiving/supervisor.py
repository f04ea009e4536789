"""Which sessions this worker polls right now: starts, ends and replaces poll loops.

One loop per session, whatever happens; a loop ends when its session is no longer ours, was bound
anew, paused or logged out.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from messaging.receiving import doubts, poll_notes
from messaging.receiving.binding import Binding, Heard
from messaging.receiving.client_pool import ClientPool
from messaging.receiving.good_polls import GoodPolls
from messaging.receiving.poll_loops import Loop, end_together, notify_stop
from messaging.receiving.poll_notes import GaveUp
from messaging.receiving.poller import DOUBT_PAUSE_S, Poller
from messaging.receiving.recorder import Recorder
from messaging.reply_window import routes
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.database.encryption import DecryptionError
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError, SessionExpiredError, UnsafeHostError
from sessions_app.loops.wake_or_sweep import WakeOrSweep
from sessions_app.models import Session, SessionState
from sessions_app.sessions.health import GATEWAY_PATIENCE_S
from sessions_app.sessions.lease_clock import LeaseClock

logger = logging.getLogger(__name__)

STARTS_PER_S = 200
JITTER_S = 0.25
WRITE_HEARD_S = 5.0
WRITE_HEARD_LATER = 8
"""With many sessions good polls are written this many times more rarely, at most.

Each time writes a page of the database for every few sessions: 300 of them every 5 s are 45 kB/s.
So the pause grows with their number, up to 40 s; together with a poll of 35 s that is below
`health.SILENT_AFTER_S`.
"""
HEARD_PER_PAUSE = 38
"""Sessions for which one pause is long enough, so that 5 kB/s are written at most."""
LAST_NOTE_S = 0.3
HAND_OVER_S = 5.0
"""What a poll may take beyond its hold before a hand-over cuts it."""
LET_GO_S = 2.0
"""How long a poll in flight may go on to bring what it has, once its loop is to end."""
DROP_S = 1.0
"""The same for a session that another worker polls by now."""
ASK_AGAIN_S = 30.0
"""About a doubt that nobody's poll decides, while WeChat cannot be asked."""

Key = tuple[int, int]
"""(session id, generation)"""
Release = Callable[[Collection[int]], Awaitable[Any]]
"""Frees the leases of these session ids."""


class PollSupervisor:
    """`follow(sessions)` makes the running loops match the sessions we hold."""

    def __init__(
        self,
        *,
        clients: ClientPool,
        recorder: Recorder,
        run_in_database_thread: RunInDatabaseThread,
        random: Callable[[], float],
        new_backoff: Callable[[], Backoff],
        lease: LeaseClock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience_s: float = GATEWAY_PATIENCE_S,
        doubt_s: float = DOUBT_PAUSE_S,
        ask_again_s: float = ASK_AGAIN_S,
        write_heard_s: float = WRITE_HEARD_S,
    ) -> None:
        """`lease`: until when this worker may poll. By default, for ever.

        `patience_s`: how long WeChat's gateway alone may answer before the session fails.

        `doubt_s`: between a first -14 and the calls that decide.
        `ask_again_s`: before a doubt that could not be decided is looked into again.
        `write_heard_s`: between two times that good polls are written down.
        """
        self.clients = clients
        self.recorder = recorder
        self.run_in_database_thread = run_in_database_thread
        self.random = random
        self.new_backoff = new_backoff
        self.lease = lease or LeaseClock()
        self.sleep = sleep
        self.patience_s = patience_s
        self.doubt_s = doubt_s
        self.ask_again_s = ask_again_s
        self._noting = WakeOrSweep(
            every_s=write_heard_s,
            first_after_s=write_heard_s,
            logger=logger,
            error_text="polls could not be noted",
        )
        self.given_up: dict[Binding, GaveUp] = {}
        self.heard: dict[Binding, Heard] = {}
        self._pauses_left = 0
        self._good_polls = GoodPolls(run_in_database_thread)
        self._loops: dict[Key, Loop] = {}
        self._ending: dict[Key, asyncio.Task[None]] = {}
        self.giving_up: set[int] = set()
        self._asking: dict[Key, asyncio.Task[None]] = {}

    @property
    def count(self) -> int:
        """How many sessions are polled here."""
        return len(self._loops)

    @property
    def is_letting_go(self) -> bool:
        """Whether a loop is ending: its session, if it is still ours, begins anew only then."""
        return bool(self._ending)

    async def follow(self, sessions: Sequence[Session]) -> None:
        wanted = {(one.pk, one.generation): one for one in sessions}
        for key in [key for key, loop in self._loops.items() if not loop.is_for(wanted.get(key))]:
            self._end(key)
        for key, session in wanted.items():
            if session.doubted_at is not None and key in self._loops:
                self._loops[key].check(session.doubted_at)
        # One that still ends begins anew with a later sweep: never two loops on one binding.
        busy = self._loops.keys() | self._ending.keys()
        fresh = [one for key, one in wanted.items() if key not in busy]
        for number, session in enumerate(fresh):
            await self._begin(session, delay_s=number / STARTS_PER_S)

    async def _begin(self, session: Session, *, delay_s: float) -> None:
        binding = Binding.of(session)
        try:
            client = self.clients.of(
                session.pk, session.generation, base_url=session.base_url, token=session.token
            )
        except DecryptionError:
            await self.run_in_database_thread(poll_notes.blocked, binding, code="sealed", detail="")
            return
        except UnsafeHostError:
            await self.run_in_database_thread(
                poll_notes.blocked, binding, code="unsafe_host", detail=session.base_url
            )
            return
        stopping = asyncio.Event()
        poller = self._poller(binding, client, stopping, session.doubted_at is not None)
        loop = Loop(client, stopping, poller, session.doubted_at)
        loop.task = asyncio.ensure_future(self._poll(loop, delay_s))
        self._loops[session.pk, session.generation] = loop
        if session.last_poll_at is None:  # bound anew: older windows are void
            await self.run_in_database_thread(routes.refresh_routes, session.pk)

    def _poller(
        self,
        binding: Binding,
        client: ILinkClient,
        stopping: asyncio.Event,
        in_doubt: bool = False,
    ) -> Poller:
        return Poller(
            binding,
            client=client,
            recorder=self.recorder,
            run_in_database_thread=self.run_in_database_thread,
            heard=self.heard,
            given_up=self.given_up,
            good_polls=self._good_polls,
            in_doubt=in_doubt,
            backoff=self.new_backoff(),
            doubt_s=self.doubt_s,
            stopping=stopping,
            lease=self.lease,
            sleep=self.sleep,
        )

    async def _poll(self, loop: Loop, delay_s: float) -> None:
        """The loop, started again after a bug: one session must not go deaf for one error."""
        await self.sleep(delay_s + JITTER_S * self.random() * bool(delay_s))
        while not loop.stopping.is_set():
            try:
                await loop.poller.run()
            except Exception:
                old = loop.poller
                logger.exception("the poll loop of session %s broke", old.binding.session_id)
                binding = replace(old.binding, cursor=old.cursor, hold_ms=old.hold_ms)
                loop.poller = self._poller(binding, loop.client, loop.stopping)
                if not loop.stopping.is_set():
                    await self.sleep(30)
            else:
                return

    def _end(self, key: Key) -> None:
        """Let go of a session, without waiting for it."""
        self._end_all([key], self._let_go(key, self._loops.pop(key)))

    def _ended(self, key: Key, ending: asyncio.Task[None]) -> None:
        self._ending.pop(key, None)
        if not ending.cancelled() and ending.exception() is not None:
            logger.error("session %s was let go badly", key[0], exc_info=ending.exception())

    async def _let_go(self, key: Key, loop: Loop) -> None:
        """Told that we stop, WeChat may end the poll in flight: what it brings is stored."""
        is_dead = loop.task.done()
        loop.tell_to_stop()
        try:
            if not is_dead:
                await notify_stop(loop.client)
                await asyncio.wait({loop.task}, timeout=LET_GO_S)
        finally:
            await loop.end()
        await self._write_good({loop.poller.binding})
        await self._close_gone()
        await self.run_in_database_thread(routes.refresh_routes, key[0])

    def give_up(self, session_ids: Collection[int], release: Release) -> None:
        """Let go of these sessions, so that another worker can poll them. Waits for nothing.

        Each is released when its poll has ended and what it brought is stored.
        """
        wanted = set(session_ids) - {pk for pk, _ in self._ending}
        if not wanted:
            return
        self.giving_up |= wanted
        keys = [key for key in self._loops if key[0] in wanted]
        loops = {key: self._loops.pop(key) for key in keys}
        unpolled = wanted - {pk for pk, _ in keys}
        self._end_all(
            [*keys, *((pk, -1) for pk in unpolled)],
            self._give_up(wanted, list(loops.values()), release),
        )

    def _end_all(self, keys: Collection[Key], work: Coroutine[Any, Any, None]) -> None:
        """None of these sessions begins anew before the work is done."""
        ending = asyncio.ensure_future(work)
        for key in keys:
            self._ending[key] = ending
            ending.add_done_callback(partial(self._ended, key))

    async def _give_up(
        self, session_ids: Collection[int], loops: Collection[Loop], release: Release
    ) -> None:
        try:
            await end_together(loops, within_s=LET_GO_S, is_told=True)
            await self._write_good({loop.poller.binding for loop in loops})
            await release(session_ids)
        except Exception:
            # They are still ours, so the next look begins anew with them or gives them up again.
            logger.warning("%d sessions could not be released", len(session_ids), exc_info=True)
        finally:
            self.giving_up -= set(session_ids)

    def lapse(self) -> None:
        """The lease ran out: others may take over soon, so end all polls. Waits for nothing.

        `follow` begins anew once the lease is current again.
        """
        loops, self._loops = self._loops, {}
        if loops:
            self._end_all(loops, self._lapse(list(loops.values())))

    async def _lapse(self, loops: Collection[Loop]) -> None:
        await end_together(loops, within_s=LET_GO_S, is_told=True)
        for loop in loops:  # a loop that begins anew goes on from the row
            self.heard.pop(loop.poller.binding, None)

    async def _close_gone(self) -> None:
        """Close the clients of bindings that are no more; a paused session's still sends."""
        quiet = [key for key in self.clients.bindings() if key not in self._loops]
        bound = await self.run_in_database_thread(_bound, quiet)
        for key in quiet:
            if key not in bound and key not in self._loops:
                await self.clients.close(*key)

    async def look_at_doubts(self) -> None:
        """Sessions that nobody here polls, paused for one: notifystart alone decides, twice."""
        for session in await self.run_in_database_thread(doubts.open_where_nobody_polls):
            key = (session.pk, session.generation)
            if key not in self._asking and key not in self._ending:
                asking = asyncio.ensure_future(self._ask_about(session))
                self._asking[key] = asking
                asking.add_done_callback(partial(self._asked, key))

    def _asked(self, key: Key, asking: asyncio.Task[None]) -> None:
        self._asking.pop(key, None)
        if not asking.cancelled() and asking.exception() is not None:
            logger.error("a doubt about session %s stays", key[0], exc_info=asking.exception())

    async def _ask_about(self, session: Session) -> None:
        binding = Binding(session.pk, session.generation, session.cursor, session.hold_ms)
        try:
            client = self.clients.of(
                session.pk, session.generation, base_url=session.base_url, token=session.token
            )
            verdict = poll_notes.vouched
            if await self._is_disowned(client):
                await self.sleep(self.doubt_s)
                if await self._is_disowned(client):
                    verdict = poll_notes.signed_out
            await self.run_in_database_thread(verdict, binding)
            if session.state == SessionState.PAUSED:
                await notify_stop(client)
        except (ILinkError, DecryptionError) as error:
            logger.info("session %s in doubt: %s", session.pk, error)
            await self.sleep(self.ask_again_s)

    async def _is_disowned(self, client: ILinkClient) -> bool:
        try:
            await client.notify_start()
        except SessionExpiredError:
            return True
        return False

    async def hand_over(self) -> None:
        """Another program goes on: nobody is told, and what polls in flight bring is stored."""
        loops, self._loops = list(self._loops.values()), {}
        longest_s = max((loop.poller.hold_ms for loop in loops), default=0) / 1000
        await end_together(
            loops,
            within_s=longest_s + HAND_OVER_S,
            is_told=False,
            besides=set(self._ending.values()),
        )
        await self._write_good(set(self.heard))

    async def drop_all(self) -> None:
        """Stop polling, telling nobody: another worker goes on.

        After a standstill, answers may lie in the buffers of the connections. They are read and
        stored first: WeChat may never give them again.
        """
        loops, self._loops = list(self._loops.values()), {}
        self._drop_questions()
        await end_together(loops, within_s=DROP_S, is_told=False)
        self.heard.clear()

    def _drop_questions(self) -> None:
        for asking in list(self._asking.values()):
            asking.cancel()

    async def stop(self, timeout_s: float) -> None:
        """Stop all loops; tell WeChat of as many as fit into the time.

        Polls in flight go on meanwhile: an answer on its way may never be given again.
        """
        loops, self._loops = list(self._loops.values()), {}
        self._drop_questions()
        ending = set(self._ending.values())
        await end_together(loops, within_s=timeout_s, is_told=True, besides=ending)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_NOTE_S):
                await self._write_good(set(self.heard))

    async def write_heard(self) -> None:
        await self._noting.run(self.write_notes)

    async def _write_good(self, bindings: set[Binding]) -> None:
        """Write what was heard of these bindings: that they are polled, and their cursors."""
        heard = {one: self.heard.pop(one) for one in bindings if one in self.heard}
        if not heard:
            return
        await self.run_in_database_thread(poll_notes.write_good_polls, heard)
        for binding, one in heard.items():
            loop = self._loops.get((binding.session_id, binding.generation))
            if loop is not None:
                loop.poller.was_written(one)

    async def write_notes(self) -> None:
        """What was heard since the last time, and what it means that nothing was."""
        given_up = dict(self.given_up)
        self.given_up.clear()
        self._pauses_left -= 1
        if self._pauses_left <= 0 and self.heard:
            self._pauses_left = min(WRITE_HEARD_LATER, len(self._loops) // HEARD_PER_PAUSE)
            await self._write_good(set(self.heard))
        if given_up:
            await self.run_in_database_thread(poll_notes.write_given_up, given_up)
        quiet = {
            loop.poller.binding: loop.poller
            for loop in self._loops.values()
            if loop.poller.is_silent()
        }
        if not quiet:
            return
        for binding in await self.run_in_database_thread(
            poll_notes.settle_quiet, list(quiet), self.patience_s
        ):
            quiet[binding].begin_anew()


def _bound(keys: Sequence[Key]) -> set[Key]:
    """Which of these bindings still stand, polled or not: they may send."""
    rows = Session.objects.filter(pk__in={pk for pk, _ in keys}).exclude(encrypted_token="")
    return set(rows.values_list("pk", "generation")) & set(keys)
