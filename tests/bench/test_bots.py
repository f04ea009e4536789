"""The fake WeChat keeps what no cursor acknowledged, and speaks as the simulated one does."""

import json
from collections.abc import Callable
from typing import Any

from sessions_app.simulator.state.messages import customer_message, text_item
from tests.bench.wechat.bots import Bots, person_of, position_of


class Line:
    """A request; `answers` holds what came, at most one."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []

    def answer(self, body: bytes) -> None:
        self.answers.append(json.loads(body))

    @property
    def texts(self) -> list[str]:
        [answer] = self.answers
        return [one["item_list"][0]["text_item"]["text"] for one in answer["msgs"]]

    @property
    def cursor(self) -> str:
        return str(self.answers[0]["get_updates_buf"])


class Timers:
    """Timers that end when the test says so."""

    def __init__(self) -> None:
        self.running: list[Timer] = []

    def later(self, _delay_s: float, call: Callable[[], None]) -> "Timer":
        self.running.append(Timer(self, call))
        return self.running[-1]

    def end_all(self) -> None:
        for timer in list(self.running):
            timer.cancel()
            timer.call()


class Timer:
    def __init__(self, timers: Timers, call: Callable[[], None]) -> None:
        self.timers, self.call = timers, call

    def cancel(self) -> None:
        if self in self.timers.running:
            self.timers.running.remove(self)


def a_world(count: int = 1, batch: int = 2) -> tuple[Bots, Timers]:
    timers = Timers()
    return Bots(count, hold_s=35, batch=batch, later=timers.later), timers


def poll(bots: Bots, cursor: str = "") -> Line:
    line = Line()
    bots.poll(bots.all[0], line, cursor)
    return line


def test_a_held_poll_brings_what_is_written() -> None:
    bots, timers = a_world()
    line = poll(bots)
    assert (line.answers, bots.waiting) == ([], 1)
    bots.write([(0, person_of(0), "hello")])
    assert (line.texts, bots.waiting, timers.running) == (["hello"], 0, [])


def test_a_message_is_given_again_until_a_cursor_acknowledges_it() -> None:
    bots, _ = a_world()
    bots.write([(0, person_of(0), f"m{number}") for number in range(3)])
    first = poll(bots)
    assert first.texts == poll(bots).texts == ["m0", "m1"]
    assert bots.pending == 3
    rest = poll(bots, first.cursor)
    assert (rest.texts, bots.pending) == (["m2"], 1)
    assert not poll(bots, rest.cursor).answers
    assert (bots.pending, bots.acknowledged_at > 0) == (0, True)


def test_an_empty_answer_moves_the_cursor_and_loses_nothing() -> None:
    bots, timers = a_world()
    empty = poll(bots)
    timers.end_all()
    assert empty.texts == []
    bots.write([(0, person_of(0), "later")])
    after = poll(bots, empty.cursor)
    assert after.texts == ["later"]
    assert (after.cursor != empty.cursor, position_of(after.cursor)) == (True, 1)


def test_a_second_poll_of_one_token_is_counted_and_ends_the_first() -> None:
    bots, _ = a_world()
    first, second = poll(bots), poll(bots)
    assert (first.texts, second.answers, bots.overlaps, bots.waiting) == ([], [], 1, 1)


def test_who_hangs_up_waits_no_more() -> None:
    bots, timers = a_world()
    line = poll(bots)
    bots.drop(bots.all[0], line)
    assert (bots.waiting, timers.running) == (0, [])


def test_messages_have_the_fields_of_the_simulated_wechat() -> None:
    bots, _ = a_world()
    bots.write([(0, person_of(0), "hello")])
    line = poll(bots)
    [message] = line.answers[0]["msgs"]
    known = customer_message(
        message_id=1, seq=1, person_id="p", bot_id="b", at_ms=1, items=[text_item("hello")],
        context_token="c",
    )  # fmt: skip
    assert message.keys() == known.keys()
    assert message["item_list"][0].keys() == known["item_list"][0].keys()
