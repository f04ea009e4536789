"""An event loop whose time passes only when nothing is left to do, and Django's clock on top of it.

A pause of 30 seconds takes no time, and fifteen minutes of polling take milliseconds. What would
run in another thread runs at once, in this one, so that a test's own transaction holds everything.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

import pytest
from django.utils import timezone

from sessions_app.login.driver import LoginDriver
from sessions_app.sessions.lease_clock import LeaseClock

Given = ParamSpec("Given")
Result = TypeVar("Result")


class StandstillError(Exception):
    """Every task waits for something that no timer will bring."""


class HotLoopError(Exception):
    """Something is done again and again without a pause."""


MOST_TURNS = 20_000
"""Of the loop in one moment; a start of the worker takes some hundreds."""


class _Jump(selectors.SelectSelector):
    """Never waits: it moves the loop's time on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise HotLoopError
        if not ready:
            if timeout is None:
                raise StandstillError
            if timeout > 0:
                self.seconds += timeout
                self._turns = 0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and is moved on by whoever waits."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """At once and here. What it raises is raised where it is awaited."""
        future = self.create_future()
        try:
            with no_loop():
                future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def no_loop() -> Iterator[None]:
    """For the database: to Django the block runs in a plain thread, on the test's connection."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


def in_database(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """A function that reads or writes rows, to be called from a coroutine."""

    @wraps(function)
    def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with no_loop():
            return function(*args, **kwargs)

    return call


class Clocks:
    """WeChat's clock, which is right, and this host's, which may be `skew` ahead or behind."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._began = datetime.now(UTC).replace(microsecond=0)
        self._skew = timedelta(0)
        self.were_moved = False
        self._asked = 0

    def right(self) -> datetime:
        return self._began + timedelta(seconds=self._loop.time())

    def here(self) -> datetime:
        """No two moments are the same, as outside of tests."""
        self._asked += 1
        return self.right() + self.skew + timedelta(microseconds=self._asked)

    @property
    def skew(self) -> timedelta:
        return self._skew

    @skew.setter
    def skew(self, skew: timedelta) -> None:
        self.were_moved |= skew != self._skew
        self._skew = skew

    @property
    def is_ahead(self) -> bool:
        return self.skew > timedelta(0)

    def right_s(self) -> float:
        return self.right().timestamp()


def _now() -> datetime:
    return _clock_of_the_test()  # type: ignore[name-defined,no-any-return] # noqa: F821


@contextmanager
def virtual_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[VirtualLoop, Clocks]]:
    """Inside the block Django's and the simulator's clocks follow the loop's time.

    The code of `timezone.now` is replaced, not the name: models hold the function as a default.
    """
    loop = VirtualLoop()
    clocks = Clocks(loop)
    monkeypatch.setattr(timezone, "_clock_of_the_test", clocks.here, raising=False)
    monkeypatch.setattr(timezone.now, "__code__", _now.__code__)
    here = SimpleNamespace(now=lambda _zone=None: clocks.here())
    monkeypatch.setattr("messaging.receiving.poller.datetime", here)
    right = SimpleNamespace(time=clocks.right_s, monotonic=loop.time)
    monkeypatch.setattr("sessions_app.simulator.state.wechat.time", right)
    monkeypatch.setattr("messaging.worker.worker.time", SimpleNamespace(monotonic=loop.time))
    for place in ("sessions_app.database.database_thread", "messaging.receiving.recorder"):
        monkeypatch.setattr(f"{place}.close_old_connections", lambda: None)  # it is the test's own
    for owner in (LoginDriver, LeaseClock):
        defaults: Any = owner.__init__.__kwdefaults__
        monkeypatch.setitem(defaults, "clock", loop.time)
    try:
        yield loop, clocks
    finally:
        _end_all_tasks(loop)
        loop.close()


async def passes(seconds: float) -> None:
    """Let this much time pass, in which everything else happens."""
    await asyncio.sleep(seconds)


def run(loop: VirtualLoop, coroutine: Coroutine[Any, Any, Result]) -> Result:
    asyncio.set_event_loop(None)
    return loop.run_until_complete(coroutine)


def _end_all_tasks(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
