"""SIGKILL while replies leave: none reaches WeChat twice, and each one's fate is told honestly."""

from collections import Counter

import pytest

from tests.processes.child import wait_for
from tests.processes.console import Console

PEOPLE = [f"guest-{number}@im.wechat" for number in range(10)]
REPLIES = [(user_id, f"{nth} to {user_id}") for nth in ("1st", "2nd", "3rd") for user_id in PEOPLE]
SEND = "/ilink/bot/sendmessage"


def _ready_to_answer(console: Console) -> str:
    console.start()
    [bot] = console.bind("Lin")
    for user_id in PEOPLE:
        console.control.write(bot, user_id, "a question")
    wait_for(lambda: len(console.incoming()) == len(PEOPLE), "all questions stored")
    return bot


def test_killed_while_sending_no_reply_arrives_twice(console: Console) -> None:
    bot = _ready_to_answer(console)
    console.control.add_fault("slow", path=SEND, delay_s=0.4, times=None)
    console.queue_replies(REPLIES)
    wait_for(lambda: 5 <= len(console.control.sends(bot_id=bot)) < 25, "some replies taken")
    wait_for(lambda: _with(console, "sending"), "more on the wire")
    console.child.kill()
    lost, waiting = _with(console, "sending"), _with(console, "queued")
    assert lost
    assert waiting
    console.control.clear_faults()
    console.start()

    lost_people = {text.rpartition(" ")[2] for text in lost}
    held = {text for text in waiting if text.rpartition(" ")[2] in lost_people}
    wait_for(
        lambda: _with(console, "queued") == held and not _with(console, "sending"),
        "the others sent",
        within_s=60,
    )
    fates = console.fates()
    assert {fates[text] for text in lost} == {("unconfirmed", "worker_lost")}
    assert {fates[text] for text in waiting - held} <= {("sent", "")}
    _each_at_most_once(console, bot)


@pytest.mark.slow
def test_a_reply_taken_by_wechat_when_the_worker_dies_is_not_sent_again(console: Console) -> None:
    bot = _ready_to_answer(console)
    console.control.add_fault("drip", path=SEND, delay_s=30.0)
    console.queue_replies(REPLIES[:1])
    wait_for(lambda: console.control.sends(bot_id=bot), "the reply taken")
    console.child.kill()
    console.start()

    [(_user_id, text)] = REPLIES[:1]
    wait_for(lambda: console.fates()[text] == ("unconfirmed", "worker_lost"), "the fate told")
    # Its next poll is open: what it had to do after the start, it has done.
    wait_for(lambda: console.control.polls()["now"] == 1, "polling again")
    assert len(console.control.sends(bot_id=bot)) == 1


def _with(console: Console, status: str) -> set[str]:
    return {text for text, fate in console.fates().items() if fate[0] == status}


def _each_at_most_once(console: Console, bot: str) -> None:
    sends = console.control.sends(bot_id=bot)
    by_client = Counter(send["client_id"] for send in sends)
    by_text = Counter(send["text"] for send in sends)
    assert max(by_client.values()) == 1
    assert max(by_text.values()) == 1
