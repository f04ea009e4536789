"""A page of the inbox without a browser: loads itself, listens, asks for what changed.

It notes when each marked text has reached it, by a push or by an answer.
"""

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from urllib.parse import urlencode

from tests.bench.page.frames import Frame, Numbers, attribute, showing
from tests.bench.page.http import Connection
from tests.bench.page.websocket import WebSocket

REOPEN_S = 1.0
_OPENED = re.compile(r"/inbox/(\d+)/")
_MARK = re.compile(r"mark-\d{6}")


def mark(number: int) -> str:
    """A text that no page takes for another one."""
    return f"mark-{number:06d}"


class Arrivals:
    """When marked texts reached the pages: every page notes its own here."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self._changed = asyncio.Event()

    def note(self, found: str, at: float) -> None:
        self.times[found].append(at)
        self._changed.set()

    async def until(self, found: str, count: int, within_s: float) -> bool:
        """Whether so many pages had the text in time."""
        deadline = time.monotonic() + within_s
        while len(self.times[found]) < count:
            self._changed.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True


class PageClient:
    """`await open()`; from then on it keeps itself up to date, as `static/js/live/` does."""

    def __init__(self, port: int, cookie: str, arrivals: Arrivals, path: str = "/inbox/") -> None:
        self.asked = self.frames = self.bytes_received = self.cuts = 0
        self.is_open = False
        self._path = path
        self._arrivals = arrivals
        self._seen: set[str] = set()
        self._http = Connection(port, {"Cookie": cookie})
        self._socket = WebSocket(port, "/ws/live/", cookie)
        self._numbers = Numbers("")
        self._address = self._says = ""
        self._shown = {"list": "", "open": ""}
        self._asking: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        answer = await self._http.get(self._path)
        page = answer.body.decode()
        assert answer.status == 200, f"{self._path}: {answer.status}"
        self._numbers = Numbers(attribute(page, "data-streams"))
        opened = _OPENED.match(self._path)
        self._shown = {
            "list": attribute(page, "data-list"),
            "open": opened[1] if opened else "",
        }
        language, zone = attribute(page, "lang"), attribute(page, "data-zone")
        self._says = showing(self._shown, language=language, zone=zone)
        self._address = attribute(page, "data-live")
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """Keep a websocket open. One that the server refuses or cuts is opened again."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._socket.open()
                self.is_open = True
                async for text in self._socket.texts():
                    self.frames += 1
                    self.bytes_received += len(text)
                    self._hear(Frame.read(text))
            self.is_open = False
            self.cuts += 1
            await self._socket.close()
            await asyncio.sleep(REOPEN_S)

    def _hear(self, frame: Frame) -> None:
        """What a page does with a frame: use what it carries, or else ask what changed."""
        if frame.kind == "hello":
            self._socket.send(self._says)
        elif frame.kind == "beat":
            self._socket.send('{"type":"beat"}')
        if frame.has_content and self._asking is None and self._may_apply(frame):
            self._take(frame.html)
            self._numbers.advance(frame.streams)
            return
        self._numbers.hear(frame.streams)
        if (self._numbers.are_behind or frame.kind == "hello") and self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    def _may_apply(self, frame: Frame) -> bool:
        return self._numbers.follow(frame.start) and frame.is_for(self._shown)

    async def _ask(self) -> None:
        """One question at a time, until the page is up to date."""
        shown = {key: value for key, value in self._shown.items() if value or key == "list"}
        try:
            while True:
                asked = {"since": str(self._numbers), **shown}
                answer = await self._http.get(
                    f"{self._address}?{urlencode(asked)}", {"HX-Request": "true"}
                )
                self.asked += 1
                self.bytes_received += len(answer.body)
                if answer.status != 200:
                    return
                text = answer.body.decode()
                self._take(text)
                self._numbers.advance(Numbers(attribute(text, "data-streams")).applied)
                if not self._numbers.are_behind:
                    return
        finally:
            self._asking = None

    def _take(self, text: str) -> None:
        at = time.monotonic()
        for found in set(_MARK.findall(text)) - self._seen:
            self._seen.add(found)
            self._arrivals.note(found, at)

    async def close(self) -> None:
        for task in (self._listening, self._asking):
            if task is not None:
                task.cancel()
        await self._socket.close()
        await self._http.close()
