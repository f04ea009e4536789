"""Goals follow the machine's speed, floors do not; a page knows whether it may apply a frame."""

import json

import pytest

from tests.bench.figures import Figure, Goal, table
from tests.bench.page.frames import Frame, Numbers


def test_a_goal_in_time_grows_with_a_slow_machine_and_a_floor_stays() -> None:
    goal = Goal(15, plus=4)
    assert (goal.at(1.0), goal.at(2.0)) == (19, 34)


def test_a_rate_falls_with_a_slow_machine_and_memory_stays() -> None:
    assert Goal(2_000, at_least=True).at(2.0) == 1_000
    assert Goal(150, is_scaled=False).at(2.0) == 150


@pytest.mark.parametrize(
    ("value", "goal", "reached"),
    [
        (20.0, Goal(10), "yes"),
        (21.0, Goal(10), "NO"),
        (900.0, Goal(2_000, at_least=True), "NO"),
        (1_000.0, Goal(2_000, at_least=True), "yes"),
        (float("nan"), Goal(10), "NO"),
    ],
)
def test_the_table_says_whether_a_goal_is_reached(value: float, goal: Goal, reached: str) -> None:
    figure = Figure("B0", "a figure", value, "ms", goal).on(2.0)
    assert f"  {reached}" in table([figure])
    assert figure.is_reached is (reached == "yes")


SHOWN = {"list": "view=mine", "open": ""}


def a_frame(to: int, **values: object) -> Frame:
    markup = f'<div data-streams="team:1:{to}"><li>a row</li></div>'
    return Frame.read(json.dumps({"type": "frame", "html": markup, **values}))


def test_a_page_applies_the_frame_after_its_number_and_no_other() -> None:
    numbers = Numbers("team:1:7,user:3:2")
    frame = a_frame(9, **{"from": {"team:1": 7}})
    assert (frame.has_content, frame.streams) == (True, {"team:1": 9})
    assert numbers.follow(frame.start)
    assert not numbers.follow(a_frame(9, **{"from": {"team:1": 8}}).start)


def test_a_frame_is_for_one_list_and_for_pages_without_what_it_leaves_out() -> None:
    frame = a_frame(9, list="view=mine", conversations=["4"])
    assert frame.is_for(SHOWN)
    assert not frame.is_for({**SHOWN, "list": ""})
    assert not frame.is_for({**SHOWN, "open": "4"})
    assert a_frame(9, list="view=mine", open="4").is_for({**SHOWN, "open": "4"})


def test_a_hint_leaves_the_page_behind() -> None:
    numbers = Numbers("team:1:7")
    frame = Frame.read('{"type": "hint", "streams": {"team:1": 8}}')
    assert not frame.has_content
    numbers.hear(frame.streams)
    assert numbers.are_behind
    numbers.advance(frame.streams)
    assert not numbers.are_behind


def test_streams_that_a_page_does_not_follow_mean_nothing_to_it() -> None:
    numbers = Numbers("team:1:7")
    numbers.hear({"team:2": 50})
    assert not numbers.are_behind
