"""recv(): all sessions at once, every message exactly once, and nothing lost on the way."""

import contextlib
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from sessions_app import NotLoggedInError, SessionExpiredError, WeiLink

from .conftest import OTHER, PERSON, InThread, World, received, texts, until


def test_messages_of_all_sessions_come_with_their_bot_id(world: World) -> None:
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    world.write("default", "one")
    world.write("zb", "two")
    messages = received(weilink, 2)
    assert {(one.text, one.bot_id) for one in messages} == {
        ("one", world.bots["default"]), ("two", world.bots["zb"]),
    }  # fmt: skip
    assert weilink.recv(timeout=0.2) == []


def test_a_message_carries_what_the_contract_names(world: World) -> None:
    world.bind("default")
    before_ms = time.time() * 1000 - 5000
    sent = world.write("default", "你好 🍜")
    (message,) = received(world.open(), 1)
    assert (message.from_user, message.text, message.msg_type.name) == (PERSON, "你好 🍜", "TEXT")
    assert message.bot_id == world.bots["default"]
    assert str(message.message_id) == str(sent["message_id"])
    assert message.timestamp > before_ms
    assert message.context_token == sent["context_token"]
    assert (message.ref_msg, message.image, message.voice, message.file, message.video) == (
        None, None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("cursor_mode", ["replay", "consumed"])
def test_a_hundred_messages_come_exactly_once(world: World, cursor_mode: str) -> None:
    world.control.switches(cursor_mode=cursor_mode)
    for name in ("default", "zb"):
        world.bind(name)
    weilink = world.open()
    wanted, messages = [], []
    for number in range(50):
        for name, person in (("default", PERSON), ("zb", OTHER)):
            world.write(name, f"{name} {number}", person)
            wanted.append(f"{name} {number}")
        if number % 10 == 0:
            messages += weilink.recv(timeout=2)
    messages += received(weilink, len(wanted) - len(messages))
    assert sorted(str(text) for text in texts(messages)) == sorted(wanted)
    for name in ("default", "zb"):
        order = [one.text for one in messages if one.bot_id == world.bots[name]]
        assert order == sorted(order, key=lambda text: int(str(text).split()[1]))
    assert weilink.recv(timeout=0.5) == []


def test_a_message_that_wechat_repeats_comes_once_and_its_newer_token_is_taken(
    world: World,
) -> None:
    world.bind("default")
    weilink = world.open()
    world.write("default", "once")
    assert texts(received(weilink, 1)) == ["once"]
    world.control.repeat_last(world.bots["default"], PERSON, new_token=True)
    world.write("default", "next", OTHER)
    assert texts(received(weilink, 1)) == ["next"]
    world.control.switches(only_newest_token=True)
    assert weilink.send(PERSON, "answer")
    assert world.seen("default") == ["answer"]


def test_polls_stay_open_at_the_timeout_and_bring_their_messages_to_the_next_call(
    world: World,
) -> None:
    world.control.switches(hold_s=20)
    world.bind("default")
    weilink = world.open()
    began = time.monotonic()
    assert weilink.recv(timeout=0.3) == []
    assert time.monotonic() - began >= 0.25  # it waited; how long at most is said by the poll
    assert world.control.polls()["now"] == 1
    assert weilink.recv(timeout=0.2) == []
    world.write("default", "late")
    until(lambda: world.control.polls()["now"] == 0, "the poll to answer")
    assert texts(weilink.recv(timeout=5)) == ["late"]
    assert world.control.bot(world.bots["default"])["polls"]["total"] == 1


def test_a_cursor_reaches_the_disk_when_the_next_call_shows_that_the_caller_has_it(
    world: World,
) -> None:
    world.bind("default")
    weilink = world.open()
    world.write("default", "one")
    received(weilink, 1)
    assert world.cursor("default") == ""
    weilink.recv(timeout=0.1)
    first = world.cursor("default")
    assert first
    world.write("default", "two")
    received(weilink, 1)
    assert world.cursor("default") == first
    weilink.close()
    assert world.cursor("default") not in ("", first)
    assert list((world.base / ".undelivered").iterdir()) == []


@pytest.mark.parametrize("cursor_mode", ["replay", "consumed"])
def test_undelivered_answers_survive_close(world: World, cursor_mode: str) -> None:
    """On a WeChat that repeats what was not acknowledged, and on one that never does."""
    world.control.switches(hold_s=20, cursor_mode=cursor_mode)
    world.bind("default")
    weilink = world.open()
    assert weilink.recv(timeout=0.2) == []
    world.write("default", "while nobody asks")
    until(lambda: list((world.base / ".undelivered").glob("*.json")), "the answer in the folder")
    weilink.close()
    assert world.cursor("default") == ""
    world.control.switches(hold_s=0.3)
    again = world.open()
    assert texts(received(again, 1)) == ["while nobody asks"]
    assert again.recv(timeout=0.6) == []
    again.close()
    assert world.open().recv(timeout=0.6) == []


KILLED = """
import sys
from sessions_app import WeiLink
weilink = WeiLink(base_path=sys.argv[1])
while True:
    for message in weilink.recv(timeout=1):
        print(message.text, flush=True)
    print("-", flush=True)
"""


@pytest.mark.parametrize("cursor_mode", ["replay", "consumed"])
def test_whoever_is_killed_before_the_next_call_leaves_its_messages_to_the_next_process(
    world: World, cursor_mode: str
) -> None:
    world.control.switches(cursor_mode=cursor_mode)
    world.bind("default")
    world.write("default", "one")
    script = KILLED.replace("while True:", "if True:").replace('print("-", flush=True)', "")
    with subprocess.Popen(
        [sys.executable, "-c", script + "\nsys.stdin.read()", str(world.base)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "one\n"
        process.kill()
    assert texts(received(world.open(), 1)) == ["one"]


def test_a_poll_that_answers_after_the_caller_went_on_is_not_asked_twice(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    for number in range(5):
        world.write("default", f"{number}")
        assert texts(received(weilink, 1)) == [f"{number}"]
    bot = world.control.bot(world.bots["default"])
    assert bot["acknowledged"] >= 4


def test_the_bots_own_messages_are_not_received(world: World) -> None:
    world.control.switches(echoes_bot_messages=True)
    world.bind("default")
    weilink = world.open()
    world.write("default", "hello")
    received(weilink, 1)
    assert weilink.send(PERSON, "answer")
    world.write("default", "bye")
    assert texts(received(weilink, 1)) == ["bye"]


def test_without_any_session_the_error_says_what_to_do(world: World) -> None:
    weilink = world.open()
    with pytest.raises(NotLoggedInError, match=r"Call login\(\) first"):
        weilink.recv(timeout=0.1)
    with pytest.raises(RuntimeError):
        weilink.send(PERSON, "hello")
    assert not world.base.exists()


def test_an_ended_session_is_said_and_never_hammered(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    weilink.recv(timeout=0.1)
    world.control.end_bot(world.bots["default"])
    with contextlib.suppress(SessionExpiredError):
        weilink.recv(timeout=5)
    for _ in range(20):
        with pytest.raises(SessionExpiredError):
            weilink.recv(timeout=1)
    assert not weilink.is_connected
    assert world.control.bot(world.bots["default"])["polls"]["total"] <= 3


def test_one_ended_session_does_not_keep_the_others_from_receiving(world: World) -> None:
    world.bind("default")
    world.bind("zb")
    weilink = world.open()
    world.control.end_bot(world.bots["default"])
    world.write("zb", "still here")
    assert texts(received(weilink, 1)) == ["still here"]
    world.write("zb", "and here")
    assert texts(received(weilink, 1)) == ["and here"]


FAULTS: list[dict[str, Any]] = [
    {"kind": "ret", "ret": -14}, {"kind": "ret", "ret": -1}, {"kind": "ret", "ret": -2},
    {"kind": "html"}, {"kind": "empty"}, {"kind": "status", "status": 502},
    {"kind": "body", "body": "{}"},
]  # fmt: skip


def test_no_hot_loop_is_possible_whatever_wechat_answers(world: World) -> None:
    for number, fault in enumerate(FAULTS):
        bot = world.control.bot(world.bind(f"session {number}"))
        world.control.add_fault(path="*getupdates", token=bot["token"], times=None, **fault)
    weilink = world.open()
    end_at = time.monotonic() + 3
    while time.monotonic() < end_at:
        assert weilink.recv(timeout=0.2) == []
    assert 7 <= world.control.requests()["/ilink/bot/getupdates"] <= 2 * len(FAULTS)


HOLDER = """
import sys
from pathlib import Path
from sessions_app.folder.store import SessionFolder
with SessionFolder(Path(sys.argv[1])).poll_lock.take(limit_s=5):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_while_another_process_polls_recv_waits_its_timeout_and_returns_nothing(
    world: World,
) -> None:
    world.bind("default")
    world.write("default", "waiting")
    weilink = world.open()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(world.base)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.monotonic()
        assert weilink.recv(timeout=0.6) == []
        assert time.monotonic() - began >= 0.55
        assert world.control.polls()["total"] == 0
        holder.stdin.write("\n")
        holder.stdin.flush()
        holder.wait(5)
    assert texts(received(weilink, 1)) == ["waiting"]


def test_two_processes_share_the_messages_and_none_comes_twice(world: World) -> None:
    world.bind("default")
    arguments = [sys.executable, "-c", KILLED, str(world.base)]
    pair = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for one in pair:
            assert one.stdout is not None
            assert one.stdout.readline() == "-\n"
        wanted = [f"message {number}" for number in range(10)]
        for text in wanted:
            world.write("default", text)
        bot_id = world.bots["default"]
        until(lambda: world.control.bot(bot_id)["acknowledged"] >= 10, "all acknowledged")
    finally:
        for one in pair:
            one.kill()
    said = [one.communicate(timeout=10)[0].splitlines() for one in pair]
    assert sorted(line for lines in said for line in lines if line != "-") == sorted(wanted)


def test_the_lock_is_free_for_others_once_nothing_is_open(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    weilink.recv(timeout=0.1)

    def is_free() -> bool:
        held = world.folder.poll_lock.try_take()
        if held is not None:
            held.release()
        return held is not None

    until(is_free, "the poll lock")


def test_the_lock_is_kept_until_the_next_call_shows_that_the_caller_has_its_messages(
    world: World,
) -> None:
    """Else the next process would be answered from the old cursor, and have them as well."""
    world.bind("default")
    weilink = world.open()
    world.write("default", "one")
    received(weilink, 1)
    until(lambda: world.control.polls()["now"] == 0, "no open poll")
    assert world.folder.poll_lock.try_take() is None
    assert world.open().recv(timeout=0.3) == []
    weilink.close()
    assert world.open().recv(timeout=0.5) == []


def test_an_sdk_that_holds_the_data_lock_delays_no_message(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    world.write("default", "through")
    with world.folder.data_lock.take(limit_s=5):
        assert texts(received(weilink, 1)) == ["through"]
        weilink.recv(timeout=0.1)
        assert world.cursor("default") == ""
    weilink.recv(timeout=0.1)
    assert world.cursor("default")
    assert PERSON in world.folder.read_contexts("default")


def test_recv_in_two_threads_gives_each_message_to_one(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    calls = [InThread(lambda: weilink.recv(timeout=3)) for _ in range(2)]
    world.write("default", "one")
    results = [texts(call.result()) for call in calls]
    assert sorted(results) == [[], ["one"]]


def test_broken_sessions_do_not_keep_the_rest_from_receiving(world: World) -> None:
    world.bind("default")
    world.bind("zb")
    (world.base / "zb" / "token.json").write_text('{"bot')
    (world.base / "default" / "contexts.json").write_text('{"half')
    weilink = world.open()
    world.write("default", "fine")
    assert texts(received(weilink, 1)) == ["fine"]
    assert weilink.sessions["zb"].problem.startswith("token.json is broken")
    weilink.close()
    assert (world.base / "default" / "contexts.json").read_text() == '{"half'


def test_a_session_that_another_process_logs_in_is_received_too(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    weilink.recv(timeout=0.1)
    world.bind("zb")
    world.write("zb", "new here")
    assert texts(received(weilink, 1)) == ["new here"]
    assert json.loads((world.base / "zb" / "token.json").read_text())["bot_id"]


def test_a_closed_weilink_says_so_and_closes_twice(world: World) -> None:
    world.bind("default")
    with world.open() as weilink:
        weilink.recv(timeout=0.1)
    weilink.close()
    with pytest.raises(RuntimeError, match="closed"):
        WeiLink.recv(weilink, timeout=0.1)
