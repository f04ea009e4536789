"""Killed at random moments, again and again: what WeChat handed out and took equals the database.

WeChat is simulated in the test's process and replays what was not asked on from. Every third kill
takes the whole console, the others its worker alone.
"""

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests import random_seeds
from tests.processes.child import children_of, is_alive, wait_for
from tests.processes.console import Console

SEND = "/ilink/bot/sendmessage"
PEOPLE = [f"guest-{number}@im.wechat" for number in range(12)]
PER_ROUND = 10
"""Kills between two looks at everything."""


@pytest.mark.parametrize("wechat", [{"cursor_mode": "replay"}], indirect=True)
@pytest.mark.parametrize(
    "kills",
    [10, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(7_200)])],
    ids=["ten", "five hundred"],
)
def test_nothing_is_lost_stored_twice_or_sent_twice(console: Console, kills: int) -> None:
    seed = random_seeds.seed()
    print(f"The moments repeat with {random_seeds.REPEAT}={seed}.")
    moments = random.Random(seed)
    console.start()
    [bot] = console.bind("Lin")
    written: list[str] = []
    for number in range(kills // PER_ROUND):
        _one_round(console, bot, moments, number, written)


def _one_round(
    console: Console, bot: str, moments: random.Random, number: int, written: list[str]
) -> None:
    """All people write, so that each has a new quota; each is answered twice between kills."""
    _write(console, bot, f"question {number}", written)
    wait_for(lambda: len(console.incoming()) == len(written), "all questions stored", within_s=60)
    replies = [(one, f"{nth} of {number} to {one}") for nth in ("1st", "2nd") for one in PEOPLE]
    console.control.add_fault("slow", path=SEND, delay_s=0.3, times=None)
    console.queue_replies(replies)
    for kill in range(PER_ROUND):
        _write(console, bot, f"in between {number}.{kill}", written, people=2)
        _kill(console, moments, takes_all=kill % 3 == 2)
    console.control.clear_faults()
    texts = [text for _, text in replies]
    wait_for(lambda: _are_settled(console, texts), "the replies settled", within_s=90)
    wait_for(lambda: len(console.incoming()) >= len(written), "all stored", within_s=60)
    assert Counter(console.incoming()) == Counter(written)
    _check_ledger(console, bot, texts)
    _decide(console, texts)


def _write(
    console: Console, bot: str, words: str, written: list[str], *, people: int = len(PEOPLE)
) -> None:
    for user_id in PEOPLE[:people]:
        text = f"{words} by {user_id}"
        console.control.write(bot, user_id, text)
        written.append(text)


def _kill(console: Console, moments: random.Random, *, takes_all: bool) -> None:
    time.sleep(moments.uniform(0.0, 1.0))
    if takes_all:
        console.child.kill()
        console.start()
        return
    worker = wait_for(lambda: children_of(console.child.process.pid), "a worker")[0]
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not is_alive(worker), "the worker gone")


def _are_settled(console: Console, texts: list[str]) -> bool:
    """Nothing is on its way. What waits is held by a reply before it that nobody knows about."""
    fates = console.fates()
    if any(fates[text][0] == "sending" for text in texts):
        return False
    doubtful = {text.rpartition(" ")[2] for text in texts if fates[text][0] == "unconfirmed"}
    waiting = {text.rpartition(" ")[2] for text in texts if fates[text][0] == "queued"}
    return waiting <= doubtful


def _check_ledger(console: Console, bot: str, texts: list[str]) -> None:
    fates = console.fates()
    taken = Counter(one["text"] for one in console.control.sends(bot_id=bot))
    assert max(taken[text] for text in texts) <= 1, "sent twice"
    for text in texts:
        status, code = fates[text]
        if status == "sent":
            assert taken[text] == 1, f"{text} was never sent"
        elif status == "queued":
            assert taken[text] == 0, f"{text} was sent and waits"
        else:
            assert (status, code) in {
                ("unconfirmed", "worker_lost"),
                ("unconfirmed", "line_broken"),
            }


DECIDE = """
from messaging.models import Message
from messaging.replying import services
for message in Message.objects.filter(holds_queue=True):
    services.mark_arrived(message=message, user=None)
"""


def _decide(console: Console, texts: list[str]) -> None:
    """An agent says of each doubtful reply that it arrived; then the next ones go."""
    console.run(DECIDE)

    def is_over() -> bool:
        fates = console.fates()
        return all(fates[text][0] == "sent" for text in texts)

    wait_for(is_over, "the rest sent", within_s=60)
    taken = Counter(one["text"] for one in console.control.sends())
    assert max(taken[text] for text in texts) <= 1
