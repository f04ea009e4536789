"""Every endpoint of WeChat with everything that can go wrong there: a test for each cell."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.faults import (
    CLOCKS,
    FAULTS,
    LONG_S,
    QUICK,
    Endpoint,
    Fault,
    is_slow,
    reason_against,
)
from tests.faults.stories import STORIES, ReceivingLate, Story
from tests.faults.table import TABLE
from tests.faults.virtual_time import passes, run
from tests.faults.world import SWEEP_S, World, world

pytestmark = pytest.mark.django_db
ONCE_S = 60.0
DAY = timedelta(days=1)


@pytest.fixture
def bugs() -> Iterator[list[str]]:
    """What is logged as an error: no fault of WeChat is one of ours."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    logging.disable(logging.WARNING)
    yield found
    logging.disable(logging.NOTSET)
    logging.getLogger().removeHandler(handler)


CELLS = [
    pytest.param(
        endpoint,
        fault,
        id=f"{endpoint}-{fault.name}".replace(" ", "_"),
        marks=[pytest.mark.slow] if is_slow(fault) else [],
    )
    for endpoint in Endpoint
    for fault in FAULTS
    if not reason_against(endpoint, fault)
]


@pytest.mark.parametrize(("endpoint", "fault"), CELLS)
def test_cell(
    endpoint: Endpoint,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Path,
    bugs: list[str],
) -> None:
    with world(monkeypatch, settings) as made:
        story = (ReceivingLate if fault.what == "reordered" else STORIES[endpoint])(made)
        run(made.loop, _live(made, story, endpoint, fault, tmp_path))
    assert bugs == []


async def _live(
    made: World, story: Story, endpoint: Endpoint, fault: Fault, data_dir: Path
) -> None:
    expected = TABLE[endpoint][fault.name]
    await made.start(data_dir)
    await story.prepare()
    _begin(made, endpoint, fault)
    await story.begin()
    await passes(ONCE_S)
    if not fault.is_once:
        made.sweep_every(60)
        await passes(LONG_S - ONCE_S)
        made.sweep_every(SWEEP_S)
    assert (story.seen(), made.network.hits <= expected.most) == (expected.words, True)
    await made.check_other()
    made.network.heal()
    made.clocks.skew = timedelta(0)
    await story.end()
    await made.until(lambda: made.board(made.other) == "connected", "the other session well")
    await made.stop()


def _begin(made: World, endpoint: Endpoint, fault: Fault) -> None:
    if fault.what in CLOCKS:
        made.clocks.skew = DAY if fault.what == "clock ahead" else -DAY
    elif fault.what != "reordered":
        made.spoil(endpoint, fault)


def test_the_table_has_every_cell_or_a_reason_against_it() -> None:
    assert TABLE.keys() == set(Endpoint) == STORIES.keys()
    for endpoint in Endpoint:
        for fault in FAULTS:
            if not reason_against(endpoint, fault):
                assert fault.name in TABLE[endpoint], f"{endpoint}: {fault.name}"


def test_every_kind_of_fault_meets_every_endpoint_in_a_usual_run() -> None:
    names = {fault.name for fault in FAULTS}
    for lasts, kinds in QUICK.items():
        assert {f"{what} {lasts}" for what in kinds} <= names
