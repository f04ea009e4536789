"""Tells WeChat who is typed to. One call at a time per person, tickets kept until refused.

A sign that cannot be shown is no error to anybody: it is logged and forgotten.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from messaging import typing_sign
from messaging.lines import Lines
from messaging.typing_sign import Sign
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import ILinkError, RefusedError

logger = logging.getLogger(__name__)

SWEEP_S = 1.0
TICKET_S = 20 * 3_600.0
"""WeChat's tickets are good for up to a day; one that is refused is dropped at once."""
MOST_TICKETS = 10_000

Desk = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Ticket:
    value: str
    got_at: float


class TypingDesk:
    """`run()` until cancelled. `wake()` makes it look at once; it looks every second anyway."""

    def __init__(self, *, desk: Desk, lines: Lines, clock: Callable[[], float]) -> None:
        self.desk = desk
        self.lines = lines
        self.clock = clock
        self._tickets: dict[tuple[int, int, str], Ticket] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                signs = await self.desk(typing_sign.claim_due, timezone.now())
                await asyncio.gather(*(self._tell(sign) for sign in signs))
            except Exception:
                logger.exception("typing signs could not be read")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()

    async def _tell(self, sign: Sign) -> None:
        try:
            client = self.lines.of(
                sign.session_id, sign.generation, base_url=sign.base_url, token=sign.bot_token
            )
            await self._tell_once(client, sign)
        except ILinkError as error:
            logger.info("typing of session %s: %s", sign.session_id, error)

    async def _tell_once(self, client: ILinkClient, sign: Sign) -> None:
        """A ticket that is refused is dropped and asked for once more."""
        key = (sign.session_id, sign.generation, sign.user_id)
        known = self._tickets.get(key)
        if known is not None and self.clock() - known.got_at < TICKET_S:
            try:
                await client.send_typing(sign.user_id, known.value, sign.on)
            except RefusedError:
                self._tickets.pop(key, None)
            else:
                return
        value = await client.get_config(sign.user_id, sign.context_token)
        if not value:
            return
        if len(self._tickets) >= MOST_TICKETS:
            self._tickets.clear()
        self._tickets[key] = Ticket(value, self.clock())
        await client.send_typing(sign.user_id, value, sign.on)
