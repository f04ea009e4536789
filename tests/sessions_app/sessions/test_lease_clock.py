"""The worker's own side of a lease, with a clock that the test moves."""

import asyncio

from sessions_app.sessions.lease_clock import LeaseClock, seconds_since_boot


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _leased(lasts_s: float = 5.0, judges_after_s: float = 7.5) -> tuple[LeaseClock, Clock]:
    clock = Clock()
    lease = LeaseClock(lasts_s=lasts_s, judges_after_s=judges_after_s, clock=clock)
    lease.renew(lease.now())
    return lease, clock


def test_a_lease_lasts_from_the_moment_its_heartbeat_was_sent() -> None:
    lease, clock = _leased()
    began = lease.now()
    clock.now += 3  # the database took its time
    assert lease.renew(began) is False
    assert lease.seconds_left == 2
    clock.now += 2
    assert not lease.is_current
    assert lease.seconds_left == 0


def test_a_heartbeat_that_arrives_after_a_gap_says_so() -> None:
    lease, clock = _leased()
    clock.now += 60
    assert lease.renew(lease.now()) is True
    assert lease.is_current


def test_whoever_was_cut_off_calls_nobody_dead_for_a_while() -> None:
    """After an outage all heartbeats are old, also those of workers that live."""
    lease, clock = _leased()
    assert lease.may_judge
    clock.now += 60
    assert not lease.may_judge
    lease.renew(lease.now())
    assert not lease.may_judge
    for _ in range(4):
        clock.now += 2
        lease.renew(lease.now())
    assert lease.may_judge


def test_without_a_limit_a_lease_never_ends() -> None:
    lease = LeaseClock()
    assert lease.is_current
    assert lease.may_judge


async def test_who_waits_for_the_lease_goes_on_with_the_next_heartbeat() -> None:
    lease, clock = _leased()
    clock.now += 6
    waiting = asyncio.ensure_future(lease.until_current())
    await asyncio.sleep(0)
    assert not waiting.done()
    lease.renew(lease.now())
    await asyncio.wait_for(waiting, 5)


async def test_the_end_is_noticed_though_timers_stood_still() -> None:
    clock = Clock()

    async def sleep(_seconds: float) -> None:
        clock.now += 60  # the machine was suspended meanwhile

    lease = LeaseClock(lasts_s=5.0, clock=clock, sleep=sleep)
    lease.renew(lease.now())
    await asyncio.wait_for(lease.until_over(), 5)
    assert not lease.is_current


def test_the_clock_runs_on() -> None:
    first = seconds_since_boot()
    assert seconds_since_boot() >= first > 0
