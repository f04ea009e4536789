"""Open pages of a fleet's web processes, kept up to date in a thread beside the test."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.bench.page.client import Arrivals, PageClient, mark
from tests.bench.page.frames import Frame
from tests.processes.child import wait_for
from tests.services.fleet import Fleet, Web

T = TypeVar("T")


class LivePage(PageClient):
    """Remembers what it was told to be away."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.away: tuple[str, ...] = ()
        self.told: set[str] = set()

    def _hear(self, frame: Frame) -> None:
        if frame.away is not None:
            self.away = frame.away
            self.told |= set(frame.away)
        super()._hear(frame)


class LivePages:
    """One page for each web process, all with the same conversation open."""

    def __init__(self, webs: list[Web], path: str) -> None:
        self.arrivals = Arrivals()
        self.pages: list[LivePage] = []
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        for web in webs:
            page = LivePage(web.port, web.log_in(), self.arrivals, path)
            self._run(page.open())
            self.pages.append(page)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        for page in self.pages:
            self._run(page.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def are_listening(self) -> bool:
        return all(page.is_open for page in self.pages)

    def have(self, texts: list[str]) -> bool:
        return all(len(self.arrivals.times[text]) == len(self.pages) for text in texts)

    def is_told(self, part: str) -> bool:
        return all(part in page.away for page in self.pages)

    def are_told_of_nothing(self) -> bool:
        return not any(page.away for page in self.pages)


@contextmanager
def live_pages(webs: list[Web], path: str) -> Iterator[LivePages]:
    pages = LivePages(webs, path)
    try:
        yield pages
    finally:
        pages.close()


class Marks:
    """One person who writes marked texts, 20 a second; when each was written is remembered."""

    def __init__(self, fleet: Fleet, bot: str, person: str, *, per_s: float) -> None:
        self.written: dict[str, float] = {}
        self._fleet, self._bot, self._person, self._per_s = fleet, bot, person, per_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._stop.wait(1 / self._per_s):
            text = mark(len(self.written))
            self.written[text] = time.monotonic()
            self._fleet.control.write(self._bot, self._person, text)

    def until(self, count: int) -> None:
        """Wait until so many were written."""
        wait_for(lambda: len(self.written) >= count, "people write on", within_s=60)

    def __enter__(self) -> "Marks":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(10)
