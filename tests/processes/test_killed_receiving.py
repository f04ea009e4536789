"""SIGKILL while 500 messages flow in: with replay all are stored once, without it nearly all.

WeChat is simulated in the test's process, so it outlives the console and remembers every answer.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import wait_for
from tests.processes.console import Console

COUNT, LOT, PEOPLE = 500, 10, 20


@dataclass
class HandedOut:
    """Texts of the last answer that brought messages, by bot: what was in flight at a kill."""

    last: dict[str, list[str]] = field(default_factory=dict)

    def watch(self, server: SimulatorServer) -> None:
        answer_of = server.wechat._updates_answer

        def watched(bot: Any, *rest: Any) -> dict[str, Any]:
            answer = answer_of(bot, *rest)
            if answer["msgs"]:
                texts = [one["item_list"][0]["text_item"]["text"] for one in answer["msgs"]]
                self.last[bot.bot_id] = texts
            return answer

        server.wechat._updates_answer = watched  # type: ignore[method-assign,assignment]


@contextmanager
def _people_writing(console: Console, bots: list[str]) -> Iterator[None]:
    """500 texts in lots of ten, round robin over people and bots, while the block runs."""

    def write() -> None:
        for first in range(0, COUNT, LOT):
            console.control.write_bulk(bots, count=LOT, people=PEOPLE, prefix="m", first=first)
            time.sleep(0.02)  # people write at their own pace, not at ours

    writing = threading.Thread(target=write)
    writing.start()
    yield
    writing.join(30)
    assert not writing.is_alive()


def _all_texts() -> list[str]:
    return sorted(f"m {number}" for number in range(COUNT))


def _kill_in_the_middle(console: Console, handed_out: HandedOut) -> dict[str, list[str]]:
    """Returns the answers that were in flight, or had just been stored, at the kill."""
    wait_for(lambda: len(console.incoming()) > COUNT // 5, "a part of the messages stored")
    console.child.kill()
    time.sleep(0.1)  # what the kernel still holds of the dead process's requests runs out
    return dict(handed_out.last)


def _is_settled(console: Console) -> bool:
    """WeChat holds nothing back, and the number of stored messages stands still."""
    bots = console.control.bots()
    before = len(console.incoming())
    if any(bot["waiting"] for bot in bots):
        return False
    time.sleep(0.5)
    return len(console.incoming()) == before


@pytest.mark.parametrize("wechat", [{"cursor_mode": "replay"}], indirect=True)
def test_with_replay_all_500_are_stored_exactly_once(console: Console) -> None:
    handed_out = HandedOut()
    handed_out.watch(console.simulator)
    console.start()
    bots = console.bind("Lin", "Guo")
    with _people_writing(console, bots):
        _kill_in_the_middle(console, handed_out)
        before = len(console.incoming())
        assert before < COUNT, "the kill came too late to prove anything"
        console.start()

    wait_for(lambda: len(console.incoming()) >= COUNT, "all messages stored", within_s=20)
    wait_for(lambda: _is_settled(console), "everything settled")
    assert sorted(console.incoming()) == _all_texts()
    assert console.child.terminate() == 0


@pytest.mark.parametrize("wechat", [{"cursor_mode": "consumed"}], indirect=True)
def test_without_replay_at_most_the_answers_in_flight_are_missing(console: Console) -> None:
    handed_out = HandedOut()
    handed_out.watch(console.simulator)
    console.start()
    bots = console.bind("Lin", "Guo")
    with _people_writing(console, bots):
        in_flight = _kill_in_the_middle(console, handed_out)
        assert len(console.incoming()) < COUNT, "the kill came too late to prove anything"
        console.start()

    wait_for(lambda: _is_settled(console), "everything settled", within_s=20)
    stored = Counter(console.incoming())
    assert max(stored.values()) == 1, "a message was stored twice"
    missing = set(_all_texts()) - stored.keys()
    assert missing <= {text for texts in in_flight.values() for text in texts}
