"""Places are counted for each caller and in all; turns go round among the callers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from weilink_site.bounds.places import Full, Places, Turns


@asynccontextmanager
async def _started(*waits: "asyncio.Task[None]") -> AsyncIterator[None]:
    """The tasks have reached their wait."""
    await asyncio.sleep(0)
    try:
        yield
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def test_one_caller_takes_its_own_places_and_no_other() -> None:
    places = Places()
    for _ in range(3):
        places.take("a", each=3, in_all=10)
    with pytest.raises(Full) as full:
        places.take("a", each=3, in_all=10)
    assert full.value.is_caller
    places.take("b", each=3, in_all=10)
    places.give_back("a")
    places.take("a", each=3, in_all=10)


def test_all_callers_together_are_full_and_nothing_is_kept_of_who_was_refused() -> None:
    places = Places()
    for name in "abc":
        places.take(name, each=2, in_all=3)
    with pytest.raises(Full) as full:
        places.take("d", each=2, in_all=3)
    assert not full.value.is_caller
    for name in "abc":
        places.give_back(name)
    assert (places.taken, dict(places.callers)) == (0, {})


def test_a_first_one_goes_whatever_its_amount() -> None:
    places = Places()
    places.take("a", 500, each=100, in_all=200)
    with pytest.raises(Full):
        places.take("a", 1, each=100, in_all=200)
    with pytest.raises(Full):
        places.take("b", 1, each=100, in_all=200)
    places.give_back("a", 500)
    places.take("b", 100, each=100, in_all=200)


async def test_a_caller_with_many_waiting_does_not_delay_one_with_few() -> None:
    turns, order = Turns(each=2, in_all=2), list[str]()

    async def run(caller: str) -> None:
        await turns.take(caller)
        order.append(caller)
        await asyncio.sleep(0)
        turns.give_back(caller)

    async with asyncio.TaskGroup() as tasks:
        for name in ["many"] * 20 + ["few"] * 2:
            tasks.create_task(run(name))
    assert len(order) == 22
    assert max(at for at, name in enumerate(order) if name == "few") < 6
    assert (turns.taken, turns.waiting) == (0, 0)


async def test_a_caller_waits_for_its_own_turns_while_others_run() -> None:
    turns = Turns(each=1, in_all=10)
    await turns.take("a")
    second = asyncio.create_task(turns.take("a"))
    async with _started(second):
        await turns.take("b")
        assert not second.done()
        turns.give_back("a")
        await second
        assert (turns.taken, turns.waiting) == (2, 0)


@pytest.mark.parametrize("is_granted", [False, True])
async def test_who_gives_up_leaves_its_turn_to_the_next(is_granted: bool) -> None:
    """Also when the turn came in the very moment in which it was given up."""
    turns = Turns(each=1, in_all=1)
    await turns.take("a")
    impatient, patient = (asyncio.create_task(turns.take(name)) for name in "bc")
    async with _started(impatient, patient):
        if is_granted:
            turns.give_back("a")
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        if not is_granted:
            turns.give_back("a")
        await patient
        assert (turns.taken, turns.waiting) == (1, 0)
