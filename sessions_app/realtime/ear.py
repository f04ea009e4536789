"""Listens to the channel layer for a hub, and notices when nothing can be heard any more.

Redis forgets who listens when it restarts, and a broken connection may look like a quiet one. So
the ear regularly sends a message to itself. While none comes back the hub goes on without hints,
and once Redis takes messages again that are still not heard, the ear listens anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import get_channel_layer

from sessions_app.realtime.streams import group_of

logger = logging.getLogger(__name__)

LISTEN_AGAIN_S = 1.0
CHECK_S = 1.5
"""Seconds that one step of a check may take while Redis hangs."""
DEAF_AFTER = 2
"""Messages to itself that did not come back."""
ANEW_AFTER = 3
ECHO = "hub.echo"
NOBODY = "hub.nobody"
"""A channel that nobody reads: whether Redis takes messages at all."""

Event = dict[str, Any]


class Ear:
    """`take` gets every event of the streams that were added. Call `check` every few seconds."""

    def __init__(self, take: Callable[[Event], Awaitable[None]]) -> None:
        self._take = take
        self._layer: Any = get_channel_layer()
        self._keys: set[str] = set()
        self._channel = ""
        self._listening: asyncio.Task[None] | None = None
        self._unheard = 0

    @property
    def is_hearing(self) -> bool:
        return bool(self._channel) and self._unheard < DEAF_AFTER

    async def add(self, key: str) -> None:
        """Listen to this stream. If the layer is away, `check` does it later."""
        self._keys.add(key)
        try:
            async with asyncio.timeout(CHECK_S):
                if self._channel:
                    await self._layer.group_add(group_of(key), self._channel)
                else:
                    await self._begin()
        except Exception:
            logger.warning("cannot listen for hints", exc_info=True)
            self._unheard = ANEW_AFTER

    async def discard(self, key: str) -> None:
        self._keys.discard(key)
        try:
            if self._channel:
                async with asyncio.timeout(CHECK_S):
                    await self._layer.group_discard(group_of(key), self._channel)
        except Exception:
            logger.warning("cannot stop to listen for hints", exc_info=True)

    async def check(self) -> None:
        """Send a message to itself. Listens anew if the last ones did not come back."""
        if not self._keys:
            return
        self._unheard += 1
        try:
            async with asyncio.timeout(CHECK_S):
                await self._layer.send(self._channel or NOBODY, {"type": ECHO})
            if not self._channel or self._unheard > ANEW_AFTER:
                async with asyncio.timeout(CHECK_S):
                    await self._begin()
        except Exception:
            logger.warning("no hints can be heard", exc_info=True)

    async def end(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening}, timeout=CHECK_S)

    async def _begin(self) -> None:
        channel = await self._layer.new_channel("pages")
        for key in sorted(self._keys):
            await self._layer.group_add(group_of(key), channel)
        if self._listening is not None:
            self._listening.cancel()  # this ends its channel, too
        self._channel = channel
        self._listening = asyncio.ensure_future(self._listen(channel))
        self._unheard = 0

    async def _listen(self, channel: str) -> None:
        # A single receive for the whole time: cancelling one ends its channel on Redis.
        while True:
            try:
                event = await self._layer.receive(channel)
            except Exception:
                # The hub's sweep finds what is not heard meanwhile.
                logger.warning("cannot listen for hints", exc_info=True)
                await asyncio.sleep(LISTEN_AGAIN_S)
                continue
            self._unheard = 0
            try:
                if event["type"] != ECHO:
                    await self._take(event)
            except Exception:
                logger.exception("an event of the channel layer could not be used")
