"""Sends what changed to all open pages of this process.

One hub per process listens to the streams that its pages follow. It reads each change once,
whatever the number of pages, and sends every page a frame. A page that has the number before a
frame draws it and asks nobody. A lost hint, a page that fell behind and everything a frame cannot
say end in the same way: the page asks what changed since its number.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sessions_app.database.database_thread import DatabaseThread
from sessions_app.database.troubles import Part, trouble_of
from sessions_app.monitoring import traces
from sessions_app.monitoring.traces import Trace
from sessions_app.realtime.ear import Ear
from sessions_app.realtime.frames import Content, Loaded, Reader, Span
from sessions_app.realtime.rights import Rights, SignedIn, rights_now
from sessions_app.realtime.streams import HINT, NOTICE, numbers_of

logger = logging.getLogger(__name__)

COALESCE_S = 0.05
"""After a frame, changes are collected for so long."""
SWEEP_S = 2.0
"""How often lost hints and changed rights are looked for."""
CHECKED_FOR_S = 1.0
"""Content is sent on rights that were read at most this long ago."""
NOTICE_WAITS_S = 2.0
"""For rights to be read; a later notice replaces one that was dropped."""
COUNT_EVERY_S = 1.0
TURN = 20
"""Pages that are sent to before other tasks of the process get their turn."""
AWAY_AFTER_S = 8.0
"""A look at the database that takes longer is told to the pages."""
DATABASE, HINTS = "database", "hints"
"""What pages are told to be away; without hints they hear of a change up to `SWEEP_S` later."""
UNKNOWN = "unknown"
"""The topic of changes whose hint was lost."""
PULSE = "pulse"
"""The topic of a change that no stream numbers, such as a worker that stopped."""


class OpenPage(Protocol):
    """The hub's side of a websocket. None of these calls may raise."""

    login: SignedIn
    rights: Rights

    @property
    def reader(self) -> Reader: ...
    @property
    def takes_content(self) -> bool: ...
    async def send_frame(self, text: str) -> None: ...
    async def hint(self, numbers: dict[str, int], about: Iterable[str]) -> None: ...
    async def notice(self, notice: dict[str, Any]) -> None: ...
    async def count(self, text: str) -> None: ...
    async def trouble(self, parts: Sequence[str]) -> None: ...
    async def reload(self) -> None: ...
    async def sign_out(self) -> None: ...


class Hub:
    """Joined by every websocket of the process; ends with the last one."""

    def __init__(self, content: Content | None) -> None:
        self.loop = asyncio.get_running_loop()
        self._content = content
        self._pages: dict[OpenPage, None] = {}
        self._followers: dict[str, dict[OpenPage, None]] = defaultdict(dict)
        self._sent: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._about: dict[str, set[str]] = defaultdict(set)
        self._traces: dict[str, list[Trace]] = defaultdict(list)
        self._uncounted: dict[OpenPage, None] = {}
        self._woken, self._to_count = asyncio.Event(), asyncio.Event()
        self._checked_at = 0.0
        self._pulse = ""
        self._thread = DatabaseThread("push")
        self._ear = Ear(self._take)
        self.troubles: tuple[str, ...] = ()
        self._joining = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_over = False

    async def join(self, page: OpenPage) -> dict[str, int]:
        """Send this page what changes from now on. Returns the last numbers of its streams."""
        self._pages[page] = None  # at once: a hub without a page ends
        try:
            return await self._join(page, page.rights.keys)
        except BaseException:
            await self.leave(page)
            raise

    async def _join(self, page: OpenPage, keys: Sequence[str]) -> dict[str, int]:
        async with self._joining:
            self._start()
            for key in keys:
                if not self._followers.get(key):
                    await self._ear.add(key)
        for key in keys:
            self._followers[key][page] = None
        # After the hub hears of changes: none is between these numbers and its frames.
        numbers = await self._thread.run(numbers_of, list(keys))
        for key, number in numbers.items():
            self._sent.setdefault(key, number)
            self._heard.setdefault(key, number)
        return numbers

    def numbers(self, keys: Iterable[str]) -> dict[str, int]:
        """The last number that was heard of, of each stream."""
        return {key: self._heard.get(key, 0) for key in keys}

    async def leave(self, page: OpenPage) -> None:
        self._pages.pop(page, None)
        self._uncounted.pop(page, None)
        for key in page.rights.keys:
            self._followers[key].pop(page, None)
            await self._forget(key)
        if not self._pages and not self.is_over:
            await self._end()

    async def _end(self) -> None:
        self.is_over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ear.end()
        self._thread.close()

    async def _forget(self, key: str) -> None:
        """Nobody follows this stream any more, unless somebody joins meanwhile."""
        async with self._joining:
            if self._followers.get(key):
                return
            self._followers.pop(key, None)
            self._about.pop(key, None)
            self._traces.pop(key, None)
            self._sent.pop(key, None)
            self._heard.pop(key, None)
            await self._ear.discard(key)

    # What is heard

    def _start(self) -> None:
        if not self._tasks:
            jobs = (self._send(), self._sweep(), self._count(), self._test_ear())
            self._tasks = [asyncio.ensure_future(job) for job in jobs]

    async def _take(self, event: dict[str, Any]) -> None:
        if event["type"] == HINT:
            behind = traces.as_heard(event.get("traces", ()))
            for key, number in event["streams"].items():
                self._hear(key, number, event["about"], behind)
        elif event["type"] == NOTICE:
            await self._pass_on(event["stream"], event["notice"])

    def _hear(
        self, key: str, number: int, about: Iterable[str], behind: Sequence[Trace] = ()
    ) -> None:
        if key not in self._heard or not self._followers.get(key):
            return
        self._traces[key] += behind[: traces.MOST_TRACES - len(self._traces[key])]
        is_next = number == self._heard[key] + 1
        self._about[key].update(about if is_next else [*about, UNKNOWN])
        self._heard[key] = max(number, self._heard[key])
        self._woken.set()

    async def _pass_on(self, key: str, notice: dict[str, Any]) -> None:
        """Who looks and types is told on rights as fresh as those of content, or not at all."""
        if not self._followers.get(key):
            return
        if time.monotonic() - self._checked_at > CHECKED_FOR_S:
            try:
                async with asyncio.timeout(NOTICE_WAITS_S):
                    await self._check_rights()
            except Exception:
                logger.warning("rights could not be read, so a notice is dropped", exc_info=True)
                return
        for page in list(self._followers.get(key, ())):
            if page.reader.may_read:
                await page.notice(notice)

    # What is sent

    async def _send(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            for key in sorted(key for key, heard in self._heard.items() if heard > self._sent[key]):
                try:
                    await self._send_stream(key)
                except Exception:
                    logger.exception("stream %s could not be sent", key)
            await asyncio.sleep(COALESCE_S)

    async def _send_stream(self, key: str) -> None:
        if time.monotonic() - self._checked_at > CHECKED_FOR_S:
            await self._check_rights()
        if key not in self._sent:
            return
        topics = frozenset(self._about.pop(key, ()))
        span = Span(key, self._sent[key], self._heard[key], topics)
        behind = self._traces.pop(key, [])
        self._sent[key] = span.end
        pages = list(self._followers[key])
        full = [page for page in pages if page.takes_content]
        loaded = await self._load(span, [page.reader for page in full])
        if loaded is None:
            await self._hint(pages, span)
            return
        await self._hint([page for page in pages if not page.takes_content], span)
        await self._send_loaded(span, loaded, full)
        if full:
            traces.shown(
                behind, stream=key, from_number=span.start, to_number=span.end, pages=len(full)
            )
        if key.startswith("team:"):
            self._uncounted.update(dict.fromkeys(full))
            self._to_count.set()

    async def _load(self, span: Span, readers: list[Reader]) -> Loaded | None:
        if self._content is None:
            return None
        try:
            return await self._thread.run(self._content.load, span, readers)
        except Exception:
            logger.exception("what changed in %s could not be read", span.key)
            return None

    async def _send_loaded(self, span: Span, loaded: Loaded, pages: list[OpenPage]) -> None:
        """Pages whose open conversation changed come last, as each has a frame of its own."""
        slow = [page for page in pages if loaded.is_open_at(page.reader)]
        quick = [page for page in pages if page not in slow]
        texts: list[str | None] = [None] * len(quick)
        with self._logged(span):
            texts = await self._thread.run(loaded.frames, [page.reader for page in quick])
        for number, (page, text) in enumerate(zip(quick, texts, strict=True)):
            await self._send_one(page, span, text)
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
        for page in slow:
            known = {
                **{key: self._sent.get(key, 0) for key in page.rights.keys},
                span.key: span.start,
            }
            own = None
            with self._logged(span):
                own = await self._thread.run(loaded.frame_for, page.reader, known)
            await self._send_one(page, span, own)

    @contextlib.contextmanager
    def _logged(self, span: Span) -> Any:
        try:
            yield
        except Exception:
            logger.exception("a frame of %s could not be made", span.key)

    async def _send_one(self, page: OpenPage, span: Span, text: str | None) -> None:
        if page not in self._pages:
            return
        if text is None:
            await page.hint({span.key: span.end}, span.about)
        else:
            await page.send_frame(text)

    async def _hint(self, pages: Iterable[OpenPage], span: Span) -> None:
        for page in pages:
            await page.hint({span.key: span.end}, span.about)

    # Counts

    async def _count(self) -> None:
        while True:
            await self._to_count.wait()
            self._to_count.clear()
            pages, self._uncounted = list(self._uncounted), {}
            try:
                await self._send_counts([page for page in pages if page in self._pages])
            except Exception:
                logger.exception("the numbers in the navigation could not be counted")
            await asyncio.sleep(COUNT_EVERY_S)

    async def _send_counts(self, pages: list[OpenPage]) -> None:
        if self._content is None:
            return
        readers = [page.reader for page in pages]
        texts = await self._thread.run(self._content.counts, readers)
        for page, text in zip(pages, texts, strict=True):
            if text is not None:
                await page.count(text)

    # What hints may have missed

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            is_away = False
            try:
                async with asyncio.timeout(AWAY_AFTER_S):
                    await self._check_rights()
                    await self._look_for_lost_hints()
                    await self._look_at_pulse()
            except Exception as error:
                found = trouble_of(error)
                is_away = isinstance(error, TimeoutError) or (
                    found is not None and found.part == Part.DATABASE
                )
                logger.warning("open pages could not be checked", exc_info=True)
            await self._tell_trouble(DATABASE, is_away)

    async def _test_ear(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self._ear.check()
            await self._tell_trouble(HINTS, not self._ear.is_hearing)

    async def _tell_trouble(self, part: str, is_away: bool) -> None:
        """Pages say what is away, so that nobody wonders why nothing moves."""
        if is_away == (part in self.troubles):
            return
        others = [one for one in self.troubles if one != part]
        self.troubles = tuple(sorted([*others, part] if is_away else others))
        for page in list(self._pages):
            await page.trouble(self.troubles)

    async def _look_for_lost_hints(self) -> None:
        for key, number in (await self._thread.run(numbers_of, list(self._heard))).items():
            if number > self._heard.get(key, number):
                # Its hint may just be on the way; the page then asks once too often.
                self._hear(key, number, [UNKNOWN])

    async def _check_rights(self) -> None:
        logins = {page.login for page in self._pages}
        now = await self._thread.run(rights_now, logins)
        self._checked_at = time.monotonic()
        for page in list(self._pages):
            rights = now.get(page.login)
            if rights is None:
                self._tell_no_more(page)
                await page.sign_out()
            elif not rights.is_as(page.rights):
                self._tell_no_more(page)
                await page.reload()

    def _tell_no_more(self, page: OpenPage) -> None:
        """Its rights have changed: until its socket has closed, nothing more is sent to it."""
        for key in page.rights.keys:
            self._followers[key].pop(page, None)

    async def _look_at_pulse(self) -> None:
        if self._content is None:
            return
        pulse = await self._thread.run(self._content.pulse)
        before, self._pulse = self._pulse, pulse
        if before and pulse != before:
            for page in list(self._pages):
                await page.hint({}, [PULSE])


_hub: Hub | None = None


def hub_of_process(content: Callable[[], Content] | None) -> Hub:
    """The hub of this process and event loop; a new one if the last one has ended."""
    global _hub
    if _hub is None or _hub.is_over or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub(content() if content is not None else None)
    return _hub
