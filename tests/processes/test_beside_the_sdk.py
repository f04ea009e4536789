"""The console and the public SDK as separate processes on one folder: both send, one polls."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.processes.beside import SharedConsole
from tests.processes.child import wait_for
from tests.sessions_app.sdk.peer import Peer

LINA = "lina@im.wechat"
WANG = "wang@im.wechat"
StartPeer = Callable[..., Peer]

pytestmark = pytest.mark.parametrize("wechat", [{"hold_s": 0.4}], indirect=True)


def _write_and_wait(shared: SharedConsole, text: str) -> None:
    """Until both programs can answer it."""
    token = shared.control.write(shared.bots["default"], LINA, text)["context_token"]
    wait_for(lambda: shared.context("default", LINA).token == token, "the token filed")
    _wait_for_text(shared, text)


def _wait_for_text(shared: SharedConsole, text: str, within_s: float = 15.0) -> None:
    newest = "SELECT text FROM messaging_message WHERE direction = 'in' ORDER BY id DESC LIMIT 1"
    wait_for(lambda: shared.console.rows(newest) == [(text,)], text, within_s=within_s)


def _alternate(shared: SharedConsole, peer: Peer, sends: int) -> None:
    """Both answer in turn; after every answer of ours the console shows what WeChat counts."""
    for number in range(sends):
        if number % 8 == 0:
            _write_and_wait(shared, f"message {number}")
        if number % 2:
            # With a stale count in its memory it may stop early; that is its own loss.
            assert peer.ask("send", to=LINA, text=f"peer {number}") in (True, "quota")
        else:
            shared.send(LINA, f"ours {number}")
            assert shared.control.seen(shared.bots["default"], LINA)[-1] == f"ours {number}"
            assert shared.remaining(LINA) == 10 - shared.counted("default", LINA), f"after {number}"
    last = shared.counted("default", LINA)
    wait_for(lambda: shared.remaining(LINA) == 10 - last, "the last one counted")
    texts = [one["text"] for one in shared.control.sends(bot_id=shared.bots["default"])]
    assert [text for text in texts if text.startswith("ours")] == [
        f"ours {number}" for number in range(0, sends, 2)
    ]


def _console_polls(shared: SharedConsole, start_peer: StartPeer) -> Peer:
    shared.bind("default")
    shared.start()
    shared.wait_for_state("default", "connected")
    return start_peer()


def _peer_polls(shared: SharedConsole, start_peer: StartPeer, *, store: bool) -> Peer:
    shared.bind("default")
    peer = start_peer(store=store)
    peer.ask("run_background")
    wait_for(lambda: shared.control.polls()["now"], "the SDK polling")
    shared.start()
    shared.wait_for_state("default", "polled_elsewhere")
    return peer


def test_40_alternating_sends_while_the_console_polls(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _alternate(shared, _console_polls(shared, start_peer), 40)


@pytest.mark.slow
def test_40_alternating_sends_while_the_sdk_polls(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    poller = _peer_polls(shared, start_peer, store=True)
    _alternate(shared, start_peer(), 40)
    assert "message 32" in poller.ask("heard")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand_alternating_sends_while_the_console_polls(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _alternate(shared, _console_polls(shared, start_peer), 1_000)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand_alternating_sends_while_the_sdk_polls(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _peer_polls(shared, start_peer, store=True)
    _alternate(shared, start_peer(), 1_000)


def test_what_the_sdk_receives_is_in_the_inbox_within_3_s_and_both_send(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    peer = _peer_polls(shared, start_peer, store=True)
    bot = shared.bots["default"]
    for number in range(5):
        shared.control.write(bot, LINA, f"to the SDK {number}")
        _wait_for_text(shared, f"to the SDK {number}")
    assert peer.ask("send", to=LINA, text="by the SDK") is True
    shared.send(LINA, "by the console")
    wait_for(lambda: "by the SDK" in shared.console.fates(), "its answer in the thread")
    assert shared.control.seen(bot, LINA) == ["by the SDK", "by the console"]
    assert shared.remaining(LINA) == 8
    assert shared.lines() == [], "what has its text needs no line"
    assert shared.control.polls()["highest_of_one"] == 1


def test_without_its_history_the_thread_says_what_another_program_did(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    peer = _peer_polls(shared, start_peer, store=False)
    shared.control.write(shared.bots["default"], LINA, "only for the SDK")
    wait_for(lambda: shared.lines() == ["received_elsewhere"], "the line")
    assert peer.ask("send", to=LINA, text="by the SDK") is True
    wait_for(lambda: shared.lines() == ["received_elsewhere", "answered_elsewhere"], "both")
    shared.send(LINA, "by the console")
    assert shared.remaining(LINA) == 8
    assert shared.console.incoming() == []


def test_when_the_sdk_ends_the_console_goes_on_where_it_was(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    peer = _peer_polls(shared, start_peer, store=True)
    bot = shared.bots["default"]
    shared.control.write(bot, LINA, "to the SDK")
    wait_for(lambda: shared.console.incoming() == ["to the SDK"], "the message")
    peer.end()
    shared.control.write(bot, LINA, "to nobody yet")
    shared.wait_for_state("default", "connected")
    wait_for(lambda: shared.console.incoming() == ["to the SDK", "to nobody yet"], "both")
    assert shared.control.polls()["highest_of_one"] == 1


RECEIVER = """
import json, sys, time
from sessions_app import WeiLink
weilink = WeiLink(base_path=sys.argv[1])
began_at = time.monotonic()
texts = [message.text for message in weilink.recv(timeout=float(sys.argv[2]))]
print(json.dumps([texts, time.monotonic() - began_at]), flush=True)
if "hang" in sys.argv:
    time.sleep(600)
weilink.close()
"""


def test_our_own_python_api_waits_beside_a_polling_console(
    shared: SharedConsole, start_peer: StartPeer
) -> None:
    _console_polls(shared, start_peer)
    began_at = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", RECEIVER, str(shared.base), "1.5"],
        capture_output=True, text=True, timeout=30, check=True, env=shared.console.env,
    )  # fmt: skip
    assert time.monotonic() - began_at >= 1.5
    texts, waited_s = json.loads(done.stdout)
    assert (texts, waited_s >= 1.4) == ([], True)
    shared.control.write(shared.bots["default"], LINA, "for the console")
    wait_for(lambda: shared.console.incoming() == ["for the console"], "still polling")


def test_answers_that_a_killed_program_left_are_taken_over(shared: SharedConsole) -> None:
    """WeChat gives nothing twice here: what it kept on disk is all there is."""
    bot = shared.bind("default")
    shared.control.switches(cursor_mode="consumed")
    shared.control.write(bot, LINA, "printed")
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVER, str(shared.base), "5", "hang"],
        stdout=subprocess.PIPE, text=True, env=shared.console.env,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert "printed" in program.stdout.readline()
        kept = shared.base / ".undelivered"
        wait_for(lambda: any(kept.glob("*.json")), "the answer kept")
        program.kill()
    shared.start()
    wait_for(lambda: shared.console.incoming() == ["printed"], "what it left")
    wait_for(lambda: not any(kept.glob("*.json")), "what is stored taken away")
    shared.control.write(bot, LINA, "and on")
    wait_for(lambda: shared.console.incoming() == ["printed", "and on"], "polling on")


def _hold_the_lock(shared: SharedConsole, for_s: float) -> None:
    """Another program is inside a long send: pages, polls and the reply's word meanwhile."""
    shared.bind("default")
    shared.start()
    shared.wait_for_state("default", "connected")
    bot = shared.bots["default"]
    shared.control.write(bot, LINA, "hello")
    wait_for(lambda: shared.context("default", LINA).token, "the context filed")
    cookie = shared.console.log_in()
    with shared.folder.changing():
        until = time.monotonic() + for_s
        waiting = shared.reply(LINA, "waits")
        wait_for(lambda: shared.fate(waiting) == ("queued", "folder_busy"), "the reason")
        written = 0
        while time.monotonic() < until or not written:
            for path in ("/inbox/", "/sessions/"):
                assert shared.console.get(path, Cookie=cookie)[0] == 200
            shared.control.write(bot, LINA, f"while busy {written}")
            _wait_for_text(shared, f"while busy {written}")
            written += 1
        assert shared.control.seen(bot, LINA) == []
    wait_for(lambda: shared.fate(waiting) == ("sent", ""), "the reply sent")
    assert shared.control.seen(bot, LINA) == ["waits"]
    wait_for(lambda: shared.context("default", LINA).replies_used == 1, "counted in the folder")
    assert shared.remaining(LINA) == 9 == 10 - shared.counted("default", LINA)


def test_a_program_that_holds_the_lock_for_5_s_holds_up_no_page_and_no_poll(
    shared: SharedConsole,
) -> None:
    _hold_the_lock(shared, 5.0)


@pytest.mark.slow
def test_a_program_that_holds_the_lock_for_a_minute_holds_up_no_page_and_no_poll(
    shared: SharedConsole,
) -> None:
    _hold_the_lock(shared, 60.0)
