"""Sends claimed replies: once each, one at a time per person, in order.

Decides from the error alone what became of a message: no byte left → back to the queue; refused →
failed; anything else → unconfirmed. It never repeats what may have left.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.delivering.outgoing import item_of
from messaging.receiving.client_pool import ClientPool
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.errors import (
    REPLY_REFUSED,
    GatewayError,
    ILinkError,
    NotSentError,
    RefusedError,
    UnsafeHostError,
)
from sessions_app.loops.wake_or_sweep import SWEEP_S, WakeOrSweep, is_set_within
from sessions_app.monitoring import meters, traces
from sessions_app.sessions.lease_clock import LeaseClock

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 64
LOOK_BACK_S = 1.0
STOP_GRACE_S = 1.8
STOP_NOTE_S = 0.5
"""After a stop's grace: for writing down what became of those that were cut."""

Facts = ParamSpec("Facts")
_PHRASES = {one.value: one.phrase for one in HTTPStatus}


class Delivery:
    """The outbox loop. `wake()` makes it look at once; it looks every `sweep_s` anyway."""

    def __init__(
        self,
        *,
        run_in_database_thread: RunInDatabaseThread,
        clients: ClientPool,
        lease: LeaseClock | None = None,
        sweep_s: float = SWEEP_S,
        retry_s: float = SWEEP_S,
        look_back_s: float = LOOK_BACK_S,
    ) -> None:
        """`lease`: until when the worker may send what it claimed. By default, for ever.

        `worker_id` is to be set before `run`, and anew when the worker starts over.

        `retry_s`: before an outcome that the database did not take is written again.

        `look_back_s`: after a refusal, before its explanation is looked for again.
        """
        self.worker_id = ""
        self.run_in_database_thread = run_in_database_thread
        self.clients = clients
        self.lease = lease or LeaseClock()
        self._retry_s = retry_s
        self._look_back_s = look_back_s
        self._loop = WakeOrSweep(
            every_s=sweep_s, logger=logger, error_text="the outbox could not be read"
        )
        self._sending: set[asyncio.Task[None]] = set()
        self._looking_back: set[asyncio.Task[None]] = set()
        self._claiming = asyncio.Lock()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        self._loop.wake()

    async def run(self) -> None:
        await self._loop.run(self._send_what_is_ready)

    async def stop(self) -> None:
        """Let what is on the wire finish; what does not is unconfirmed, never queued again."""
        self._stopping.set()
        await self._wait(STOP_GRACE_S)
        for task in list(self._sending):
            task.cancel()
        await self._wait(STOP_NOTE_S)
        for task in list(self._looking_back):
            task.cancel()

    async def settle(self, timeout_s: float) -> None:
        """Claim nothing more until `worker_id` is set again; wait for what is on the wire."""
        self.worker_id = ""
        async with self._claiming:
            await self._wait(timeout_s)

    async def _wait(self, timeout_s: float) -> None:
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=timeout_s)

    async def _send_what_is_ready(self) -> None:
        room = MAX_AT_ONCE - len(self._sending)
        if room <= 0:
            return
        async with self._claiming:
            for claim in await self._claim(room) if self.worker_id else []:
                task = asyncio.ensure_future(self._send(claim))
                self._sending.add(task)
                task.add_done_callback(self._sent)

    async def _claim(self, limit: int) -> list[Claim]:
        """Claims are committed as `sending`; a stop before any byte left hands them back."""
        claiming = asyncio.ensure_future(
            self.run_in_database_thread(outbox.claim_next, self.worker_id, limit=limit)
        )
        try:
            claims = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await self._hand_back(claiming)
            raise
        return claims

    async def _hand_back(self, claiming: asyncio.Future[list[Claim]]) -> None:
        """Each on its own, and no error takes the place of the cancel that is under way."""
        try:
            claims = await claiming
        except Exception:
            logger.exception("a claim failed in the middle of a stop")
            return
        for claim in claims:
            try:
                await self.run_in_database_thread(outbox.hand_back, claim)
            except Exception:
                logger.exception("message %s could not be handed back", claim.message_id)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a send ended badly", exc_info=task.exception())
        self.wake()

    async def _send(self, claim: Claim) -> None:
        """Whatever goes wrong, a living worker leaves nothing in `sending`."""
        with traces.tracing(claim.trace_id):
            try:
                await self._send_once(claim)
            except Exception:
                logger.exception("the send of message %s ended badly", claim.message_id)
                await self._note(outbox.mark_broken, claim, detail="internal error")

    async def _send_once(self, claim: Claim) -> None:
        if not self.lease.is_current:
            # The process stood still since the claim. An agent may have decided meanwhile.
            await self._note(
                outbox.put_back, claim, code="not_reached", detail="the worker stood still"
            )
            return
        traces.step("reply leaves", message_id=claim.message_id, session_id=claim.session_id)
        try:
            client = self.clients.of(
                claim.session_id,
                claim.generation,
                base_url=claim.base_url,
                token=claim.bot_token,
            )
            with meters.SEND.time():
                receipt = await client.send_message(
                    to_user_id=claim.to_user_id,
                    client_id=claim.client_id,
                    context_token=claim.context_token,
                    item=item_of(claim.text, claim.file),
                )
        except asyncio.CancelledError:
            await self._note(outbox.mark_broken, claim, detail="stopped")
            raise
        except UnsafeHostError as error:
            await self._note(outbox.put_back, claim, code="unsafe_host", detail=str(error))
        except NotSentError as error:
            await self._note(outbox.put_back, claim, code="not_reached", detail=str(error))
        except RefusedError as error:
            await self._note(
                outbox.mark_refused, claim, wire_code=error.wire_code, detail=error.errmsg
            )
            if error.wire_code == REPLY_REFUSED:
                looking = asyncio.ensure_future(self._look_back(claim))
                self._looking_back.add(looking)
                looking.add_done_callback(self._looking_back.discard)
        except GatewayError as error:
            if 400 <= error.status < 500 and error.status != HTTPStatus.REQUEST_TIMEOUT:
                words = f"HTTP {error.status} {_PHRASES.get(error.status, '')}".strip()
                await self._note(outbox.mark_refused, claim, wire_code=0, detail=words)
            else:
                await self._note(outbox.mark_broken, claim, detail=str(error))
        except ILinkError as error:
            await self._note(outbox.mark_broken, claim, detail=str(error))
        else:
            if claim.waits_since is not None:
                waited_s = (timezone.now() - claim.waits_since).total_seconds()
                meters.COMPOSER_TO_WECHAT.observe(max(0.0, waited_s))
            await self._note(outbox.mark_sent, claim, wire_id=receipt.message_id)

    async def _look_back(self, claim: Claim) -> None:
        """What explains a refusal may be in the answer to the poll that is under way."""
        if not await is_set_within(self._stopping, self._look_back_s):
            await self._note(outbox.explain_refusal, claim)

    async def _note(
        self,
        write_down: Callable[Concatenate[Claim, Facts], None],
        claim: Claim,
        *args: Facts.args,
        **facts: Facts.kwargs,
    ) -> None:
        """What became of a send is written down as soon as the database takes it.

        A stop gives it one more try; then the row is a lost worker's, which is unconfirmed.
        """
        while True:
            is_last = self._stopping.is_set()
            try:
                await self.run_in_database_thread(write_down, claim, *args, **facts)
            except (DatabaseError, InterfaceError):
                logger.exception("the fate of message %s is not written yet", claim.message_id)
                if is_last:
                    return
                await is_set_within(self._stopping, self._retry_s)
            else:
                return
