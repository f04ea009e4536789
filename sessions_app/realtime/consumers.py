"""The websocket of a page. The hub sends through it; the page says through it what it shows.

Frames: see docs/architecture.md, "Push".
"""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from weakref import WeakSet

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from sessions_app.monitoring import meters
from sessions_app.people.models import User
from sessions_app.realtime.frames import Content, Reader, Shown
from sessions_app.realtime.hub import Hub, hub_of_process
from sessions_app.realtime.rights import Rights, login_of, rights_of

logger = logging.getLogger(__name__)
_open: "defaultdict[int, WeakSet[LiveConsumer]]" = defaultdict(WeakSet)
"""Sockets by person. Weak: one that breaks while it opens is never told that it is closed."""

BEAT_S = 10.0
UNAUTHORISED = 4401
TOO_MANY = 4429
MOST_PER_PERSON = 100
"""Open pages of one person in one process: each takes memory, and a part of every push."""
MOST_UNREAD = 1_000_000
"""Characters sent since the last answered heartbeat: beyond them the page is behind, and asks."""
MOST_HEARD = 5_000
"""Characters in one frame of a page."""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """`/ws/live/`. `content`: makes what fills the frames; without it they are hints only."""

    beat_s = BEAT_S

    def __init__(self, *args: Any, content: Callable[[], Content] | None = None) -> None:
        super().__init__(*args)
        self._content = content
        self._hub: Hub | None = None
        self._beating: asyncio.Task[None] | None = None
        self._shown = Shown()
        self._unread = 0
        self._answered = True
        self._last_count = ""
        self._is_counted = False
        self._person: int | None = None

    async def connect(self) -> None:
        user = self.scope.get("user")
        if not isinstance(user, User) or not user.is_active or user.must_change_password:
            await self.close(code=UNAUTHORISED)
            return
        pages = _open[user.pk]
        if len(pages) >= MOST_PER_PERSON:
            logger.warning("user %s has %s pages open; another is refused", user.pk, len(pages))
            await self.close(code=TOO_MANY)
            return
        pages.add(self)
        self._person = user.pk
        self.login = login_of(str(self.scope["session"].session_key), user)
        self.rights: Rights = await database_sync_to_async(rights_of)(user)
        await self.accept()
        self._is_counted = True
        meters.WEBSOCKETS.inc()
        self._hub = hub_of_process(self._content)
        numbers = await self._hub.join(self)
        away = list(self._hub.troubles)
        await self._say({"type": "hello", "streams": numbers, "beat_s": self.beat_s, "away": away})
        self._beating = asyncio.ensure_future(self._beat())

    async def disconnect(self, code: int) -> None:
        if self._person is not None:
            _open[self._person].discard(self)
        if self._is_counted:
            self._is_counted = False
            meters.WEBSOCKETS.dec()
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if self._hub is not None:
            await self._hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The answer to a heartbeat, or what the page shows now. Anything else is ignored."""
        try:
            said = json.loads((text_data or "")[:MOST_HEARD])
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if said.get("type") == "showing":
            self._shown, self._last_count = Shown.parse(said), ""
        elif said.get("type") == "beat":
            self._answered, self._unread = True, 0

    @property
    def reader(self) -> Reader:
        rights = self.rights
        return Reader(rights.user, rights.teams, rights.may, self._shown, self.scope["cookies"])

    @property
    def takes_content(self) -> bool:
        """False for a page that wants hints, may not read, or does not read what it was sent."""
        return bool(self._shown.kind) and self.reader.may_read and self._unread < MOST_UNREAD

    async def send_frame(self, text: str) -> None:
        self._unread += len(text)
        await self._send(text)

    async def hint(self, numbers: dict[str, int], about: Iterable[str]) -> None:
        if self._unread < MOST_UNREAD:
            await self._say({"type": "hint", "streams": numbers, "about": list(about)})

    async def notice(self, notice: dict[str, Any]) -> None:
        """A passing fact. It has no number and cannot be fetched later."""
        if self._unread < MOST_UNREAD:
            await self._say({"type": "notice", **notice})

    async def count(self, text: str) -> None:
        if text != self._last_count and self._unread < MOST_UNREAD:
            self._last_count = text
            await self.send_frame(text)

    async def trouble(self, parts: Sequence[str]) -> None:
        """What the console cannot reach at the moment; nothing: all of it is back."""
        await self._say({"type": "trouble", "parts": list(parts)})

    async def reload(self) -> None:
        """The user's rights have changed: what the page shows may no longer be shown."""
        await self._say({"type": "reload"})
        await self._end()

    async def sign_out(self) -> None:
        await self._end(UNAUTHORISED)

    async def _beat(self) -> None:
        """Send heartbeats. Close the socket after two without an answer: Daphne has no limit for
        what it keeps for a page that does not read."""
        missed = 0
        while True:
            await asyncio.sleep(self.beat_s)
            missed = 0 if self._answered else missed + 1
            self._answered = False
            if missed >= 2:
                await self._end()
                return
            if self._hub is not None:
                await self._say({"type": "beat", "streams": self._hub.numbers(self.rights.keys)})

    async def _say(self, frame: dict[str, Any]) -> None:
        text = json.dumps(frame)
        self._unread += len(text)
        await self._send(text)

    async def _send(self, text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the connection closed meanwhile
            await self.send(text_data=text)

    async def _end(self, code: int | None = None) -> None:
        with contextlib.suppress(RuntimeError):
            await self.close(code=code)
