"""The websocket of a page: sends hints with stream numbers, and a heartbeat with the same numbers.

It carries no content: the page fetches changes over HTTP, where access is checked again. The
exception is who is viewing and typing, which is sent as it is (docs/decisions/0004).
"""

import asyncio
import contextlib
import logging
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from sessions_app.people.models import User
from sessions_app.people.roles import Capability, may
from sessions_app.realtime.numbers import stream_keys_of
from sessions_app.realtime.streams import group_of, numbers_of

logger = logging.getLogger(__name__)

BEAT_S = 10.0
COALESCE_S = 0.05
UNAUTHORISED = 4401


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """`/ws/live/`. Frames: see docs/architecture.md, "Push"."""

    beat_s = BEAT_S

    async def connect(self) -> None:
        self.jobs: list[asyncio.Task[None]] = []
        self.numbers: dict[str, int] = {}
        self.about: dict[str, None] = {}
        self.waiting: asyncio.Task[None] | None = None
        self.answered = True
        user = self.scope.get("user")
        if not isinstance(user, User) or not user.is_active:
            await self.close(code=UNAUTHORISED)
            return
        self.keys, self.may = await database_sync_to_async(_rights_of)(user)
        for key in self.keys:
            await self.channel_layer.group_add(group_of(key), self.channel_name)
        await self.accept()
        numbers = await database_sync_to_async(numbers_of)(self.keys)
        await self.send_json({"type": "hello", "streams": numbers, "beat_s": self.beat_s})
        self.jobs.append(asyncio.ensure_future(self._beat()))

    async def disconnect(self, code: int) -> None:
        tasks = [task for task in [*self.jobs, self.waiting] if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for key in getattr(self, "keys", []):
            await self.channel_layer.group_discard(group_of(key), self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        self.answered = True

    async def stream_hint(self, event: dict[str, Any]) -> None:
        """Forward a hint: at once if idle, else collected for up to 50 ms."""
        for key, number in event["streams"].items():
            self.numbers[key] = max(number, self.numbers.get(key, 0))
        self.about.update(dict.fromkeys(event["about"]))
        if self.waiting is None or self.waiting.done():
            await self._flush()
            self.waiting = asyncio.ensure_future(self._flush_later())

    async def stream_notice(self, event: dict[str, Any]) -> None:
        """Forward a passing fact as it is. It has no number and cannot be fetched later."""
        with contextlib.suppress(RuntimeError):  # the connection closed meanwhile
            await self.send_json({"type": "notice", **event["notice"]})

    async def _flush_later(self) -> None:
        await asyncio.sleep(COALESCE_S)
        await self._flush()

    async def _flush(self) -> None:
        if not self.numbers:
            return
        frame = {"type": "hint", "streams": self.numbers, "about": list(self.about)}
        self.numbers, self.about = {}, {}
        with contextlib.suppress(RuntimeError):  # the connection closed meanwhile
            await self.send_json(frame)

    async def _beat(self) -> None:
        """Send heartbeats.

        Close the socket after two without an answer, as Daphne buffers without limit.
        """
        missed = 0
        while True:
            await asyncio.sleep(self.beat_s)
            missed = 0 if self.answered else missed + 1
            self.answered = False
            if missed >= 2:
                await self.close()
                return
            try:
                await self._send_beat()
            except RuntimeError:
                return
            except Exception:
                logger.warning("cannot read the stream numbers for a heartbeat", exc_info=True)

    async def _send_beat(self) -> None:
        user = await _user_now(self.scope)
        if user is None:
            await self.close(code=UNAUTHORISED)
            return
        if await database_sync_to_async(_rights_of)(user) != (self.keys, self.may):
            await self.send_json({"type": "reload"})
            await self.close()
            return
        numbers = await database_sync_to_async(numbers_of)(self.keys)
        await self.send_json({"type": "beat", "streams": numbers})


def _rights_of(user: User) -> tuple[list[str], frozenset[Capability]]:
    """What a page was rendered for: the streams it follows and the reader's capabilities."""
    granted = frozenset(one for one in Capability if may(user, one))
    return stream_keys_of(user), granted


async def _user_now(scope: dict[str, Any]) -> User | None:
    """Who is signed in now. Reloads the session and checks its hash against the password.

    None after signing out, when the session has expired, and for a disabled user.
    """
    kept = scope["session"]
    # Channels wraps the session, so that type() would return the wrapper's class.
    user = await get_user({"session": kept.__class__(kept.session_key)})
    return user if isinstance(user, User) and user.pk == scope["user"].pk else None
