"""The loop of the worker's jobs: it looks at once, when it is woken, and after each interval."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sessions_app.loops.wake_or_sweep import WakeOrSweep, is_set_within

NEVER_S = 3_600.0
AT_ONCE_S = 0.0
logger = logging.getLogger(__name__)


class Job:
    """What a loop calls: each look takes the next step, and the last one waits for ever."""

    def __init__(self, *steps: float | Exception | None) -> None:
        self._steps = list(steps)
        self.looks = 0
        self.began = asyncio.Condition()

    async def look(self) -> float | None:
        async with self.began:
            self.looks += 1
            self.began.notify_all()
        if not self._steps:
            return NEVER_S
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def looked(self, times: int) -> None:
        async with asyncio.timeout(5), self.began:
            await self.began.wait_for(lambda: self.looks >= times)


class Pauses:
    """A `sleep` that is noted, and goes on when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.may_end = asyncio.Event()
        self.begun = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.begun.set()
        await self.may_end.wait()


def _loop(
    every_s: float = NEVER_S,
    *,
    first_after_s: float = 0.0,
    spacing_s: float = 0.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> WakeOrSweep:
    return WakeOrSweep(
        every_s=every_s,
        first_after_s=first_after_s,
        spacing_s=spacing_s,
        sleep=sleep,
        logger=logger,
        error_text="the job failed",
    )


@asynccontextmanager
async def _running(loop: WakeOrSweep, job: Job) -> AsyncIterator[asyncio.Task[None]]:
    task: asyncio.Task[None] = asyncio.create_task(loop.run(job.look))
    yield task
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def _idle() -> None:
    """Let everything go on that needs no clock."""
    for _turn in range(20):
        await asyncio.sleep(0)


async def test_it_looks_at_once_and_after_each_interval() -> None:
    job = Job(None, None, None)
    async with _running(_loop(every_s=0.001), job):
        await job.looked(4)


async def test_it_waits_where_nothing_wakes_it() -> None:
    job = Job(None)
    async with _running(_loop(), job):
        await job.looked(1)
        await _idle()
        assert job.looks == 1


async def test_a_wake_up_ends_the_wait() -> None:
    job, loop = Job(), _loop()
    async with _running(loop, job):
        await job.looked(1)
        await _idle()
        loop.wake()
        await job.looked(2)
        await _idle()
        assert job.looks == 2


async def test_a_wake_up_during_a_look_makes_another_look_follow() -> None:
    loop, job = _loop(), Job()

    async def look() -> float:
        await job.look()
        if job.looks == 1:
            loop.wake()
        return NEVER_S

    task = asyncio.create_task(loop.run(look))
    await job.looked(2)
    await _idle()
    assert job.looks == 2
    task.cancel()
    await asyncio.wait({task})


async def test_many_wake_ups_are_one_look() -> None:
    job, loop = Job(), _loop()
    async with _running(loop, job):
        await job.looked(1)
        await _idle()
        for _time in range(5):
            loop.wake()
        await job.looked(2)
        await _idle()
        assert job.looks == 2


async def test_a_look_says_when_the_next_one_is_due() -> None:
    job = Job(AT_ONCE_S, AT_ONCE_S, None)
    async with _running(_loop(), job):
        await job.looked(3)
        await _idle()
        assert job.looks == 3


async def test_an_error_is_logged_and_the_loop_goes_on_after_the_interval(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Job(ValueError("broken"), NEVER_S)
    async with _running(_loop(every_s=0.001), job):
        await job.looked(2)
    [record] = caplog.records
    assert (record.name, record.message) == (__name__, "the job failed")
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_after_an_error_it_waits_and_can_be_woken() -> None:
    job, loop = Job(ValueError("broken")), _loop()
    async with _running(loop, job):
        await job.looked(1)
        await _idle()
        assert job.looks == 1
        loop.wake()
        await job.looked(2)


async def test_the_first_look_can_be_put_off_and_no_wake_up_brings_it_forward() -> None:
    job, pauses = Job(), Pauses()
    loop = _loop(first_after_s=60.0, sleep=pauses.sleep)
    async with _running(loop, job):
        await pauses.begun.wait()
        loop.wake()
        await _idle()
        assert (job.looks, pauses.asked) == (0, [60.0])
        pauses.may_end.set()
        await job.looked(1)
        await _idle()
        assert job.looks == 1


async def test_two_looks_keep_their_distance() -> None:
    job, pauses = Job(), Pauses()
    loop = _loop(spacing_s=0.5, sleep=pauses.sleep)
    async with _running(loop, job):
        await job.looked(1)
        loop.wake()
        await pauses.begun.wait()
        loop.wake()
        await _idle()
        assert (job.looks, pauses.asked) == (1, [0.5])
        pauses.may_end.set()
        await job.looked(2)
        await _idle()
        assert job.looks == 2


@pytest.mark.parametrize("moment", ["first pause", "look", "wait", "spacing"])
async def test_a_cancel_ends_it_at_every_moment(moment: str) -> None:
    job, pauses = Job(), Pauses()
    loop = _loop(
        first_after_s=1.0 if moment == "first pause" else 0.0, spacing_s=1.0, sleep=pauses.sleep
    )
    looking = asyncio.Event()

    async def look() -> float:
        await job.look()
        if moment == "look":
            looking.set()
            await asyncio.Event().wait()
        return NEVER_S

    task = asyncio.create_task(loop.run(look))
    if moment == "look":
        await looking.wait()
    elif moment != "first pause":
        await job.looked(1)
        if moment == "spacing":
            loop.wake()
            await pauses.begun.wait()
    await _idle()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_a_cancel_in_the_moment_of_a_wake_up_is_not_swallowed() -> None:
    """`asyncio.wait_for` of Python 3.11 does: the result of what it waits for wins."""
    job, loop = Job(), _loop()
    task = asyncio.create_task(loop.run(job.look))
    await job.looked(1)
    await _idle()
    loop.wake()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_an_event_is_waited_for_no_longer_than_said() -> None:
    event = asyncio.Event()
    assert not await is_set_within(event, 0.001)
    event.set()
    assert await is_set_within(event, NEVER_S)
