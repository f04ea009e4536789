"""Tells WeChat who is typed to. One call at a time per sign; tickets are kept until refused.

A sign that can't be shown is no error to anybody: it is logged and forgotten. One that can't be
ended is tried again (`typing_sign.STOP_PAUSES`) until WeChat has taken it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from messaging.receiving import doubts
from messaging.receiving.client_pool import ClientPool
from messaging.replying import typing_sign
from messaging.replying.typing_sign import Sign
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError, RefusedError, SessionExpiredError
from sessions_app.loops.wake_or_sweep import SWEEP_S, WakeOrSweep

logger = logging.getLogger(__name__)

TICKET_S = 20 * 3_600.0
"""WeChat's tickets are good for up to a day; one that is refused is dropped at once."""
MOST_TICKETS = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    value: str
    got_at: float


class TypingSupervisor:
    """`run()` until cancelled. `wake()` makes it look at once; it looks every `sweep_s` anyway."""

    def __init__(
        self,
        *,
        run_in_database_thread: RunInDatabaseThread,
        clients: ClientPool,
        clock: Callable[[], float],
        sweep_s: float = SWEEP_S,
        stop_pauses: Sequence[timedelta] = typing_sign.STOP_PAUSES,
    ) -> None:
        """`stop_pauses`: between the first attempts to end a sign that WeChat did not take."""
        self.run_in_database_thread = run_in_database_thread
        self.clients = clients
        self.clock = clock
        self.stop_pauses = stop_pauses
        self._tickets: dict[tuple[int, int, str], Ticket] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._loop = WakeOrSweep(
            every_s=sweep_s, logger=logger, error_text="typing signs could not be read"
        )

    def wake(self) -> None:
        self._loop.wake()

    async def run(self) -> None:
        try:
            await self._loop.run(self._look)
        finally:
            for call in self._calls.values():
                call.cancel()

    async def _look(self) -> None:
        """Starts a call per due sign. A slow answer to one of them holds no other up."""
        busy = set(self._calls)
        for sign in await self.run_in_database_thread(
            typing_sign.claim_due, timezone.now(), busy=busy, stop_pauses=self.stop_pauses
        ):
            call = asyncio.create_task(self._tell(sign))
            self._calls[sign.pk] = call
            call.add_done_callback(partial(self._done, sign.pk))

    def _done(self, pk: int, _call: asyncio.Task[None]) -> None:
        self._calls.pop(pk, None)

    async def _tell(self, sign: Sign) -> None:
        try:
            client = self.clients.of(
                sign.session_id, sign.generation, base_url=sign.base_url, token=sign.bot_token
            )
            is_told = await self._tell_once(client, sign)
            if is_told and not sign.on:
                await self.run_in_database_thread(typing_sign.stopped, sign)
        except SessionExpiredError:
            await self.run_in_database_thread(doubts.suspect, sign.session_id, sign.generation)
        except ILinkError as error:
            logger.info("typing of session %s: %s", sign.session_id, error)
        except Exception:
            logger.exception("typing of session %s", sign.session_id)

    async def _tell_once(self, client: ILinkClient, sign: Sign) -> bool:
        """Whether WeChat took it. A ticket that is refused is dropped and asked for once more."""
        key = (sign.session_id, sign.generation, sign.user_id)
        known = self._tickets.get(key)
        if known is not None and self.clock() - known.got_at < TICKET_S:
            try:
                await client.send_typing(sign.user_id, known.value, sign.on)
            except SessionExpiredError:
                raise
            except RefusedError:
                self._tickets.pop(key, None)
            else:
                return True
        value = await client.get_config(sign.user_id, sign.context_token)
        if not value:
            return False
        if len(self._tickets) >= MOST_TICKETS:
            self._tickets.clear()
        self._tickets[key] = Ticket(value, self.clock())
        await client.send_typing(sign.user_id, value, sign.on)
        return True
