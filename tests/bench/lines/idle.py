"""B4: sessions to which nobody writes. WeChat holds each poll as long as it really does."""

import asyncio

from tests.bench.bench import Bench
from tests.bench.figures import Figure, Goal
from tests.bench.processes import Use
from tests.bench.wechat.control import HOLD_S

SETTLE_S = 8.0


async def idle(bench: Bench) -> list[Figure]:
    few, some, many = (bench.load(count) for count in (100, 300, 1_000))
    none = await _watch(bench, 0, 20)
    with_few = await _watch(bench, few, HOLD_S)
    with_some = await _watch(bench, some, HOLD_S)
    with_many = await _watch(bench, many, HOLD_S)
    return [
        Figure("B4", "idle, no session", _percent(none), "% of a core", Goal(0.5)),
        Figure("B4", f"idle, {few} sessions", _percent(with_few), "% of a core", Goal(2)),
        Figure(
            "B4", f"disk writes, {some} sessions", _written_kb(with_some), "kB/s",
            Goal(5, is_scaled=False), notes=f"CPU {_percent(with_some):.1f} % of a core",
        ),
        Figure("B4", f"idle, {many:,} sessions", _percent(with_many), "% of a core", Goal(6)),
        _resident_each(none, with_many, many),
    ]  # fmt: skip


async def idle_3000(bench: Bench) -> list[Figure]:
    count = bench.load(3_000)
    none = await _watch(bench, 0, 20)
    found = await _watch(bench, count, HOLD_S)
    return [
        Figure("B4", f"idle, {count:,} sessions", _percent(found), "% of a core", Goal(18)),
        _resident_each(none, found, count),
    ]


def _resident_each(none: tuple[Use, Use], some: tuple[Use, Use], count: int) -> Figure:
    empty = none[1].resident
    each = (some[1].resident - empty) / count / 1e3
    return Figure(
        "B4", f"resident per session, of {count:,}", each, "kB", Goal(100, is_scaled=False),
        notes=f"{empty / 1e6:.0f} MB without a session",
    )  # fmt: skip


def _written_kb(uses: tuple[Use, Use]) -> float:
    before, after = uses
    return after.written_per_s(before) / 1000


async def _watch(bench: Bench, sessions: int, seconds: float) -> tuple[Use, Use]:
    """What the console used before and after `seconds`: of a whole hold, so of every session."""
    async with (
        bench.wechat(sessions) as wechat,
        bench.console(wechat) as stage,
    ):
        await asyncio.sleep(SETTLE_S)
        before = stage.use()
        await asyncio.sleep(bench.load(int(seconds)))
        return before, stage.use()


def _percent(uses: tuple[Use, Use]) -> float:
    before, after = uses
    return after.cores_since(before) * 100
