"""on_message, run_background, run_forever, stop."""

import os
import signal
import subprocess
import sys
import threading

from sessions_app import Message

from .conftest import PERSON, InThread, World, texts, until


def test_every_handler_gets_every_message_and_may_answer(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    heard: list[str | None] = []

    @weilink.on_message
    def answer(message: Message) -> None:
        weilink.send(message.from_user, f"re: {message.text}")

    weilink.on_message(lambda message: heard.append(message.text))
    weilink.run_background()
    weilink.run_background()
    for number in range(3):
        world.write("default", f"{number}")
    until(lambda: len(heard) == 3, "three messages")
    assert heard == ["0", "1", "2"]
    assert world.seen("default") == ["re: 0", "re: 1", "re: 2"]
    assert texts(weilink.recv(timeout=1)) == ["0", "1", "2"]
    weilink.stop()
    weilink.stop()


def test_a_handler_that_fails_stops_nothing(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    heard: list[str | None] = []
    weilink.on_message(lambda message: 1 // 0)
    weilink.on_message(lambda message: heard.append(message.text))
    weilink.run_background()
    world.write("default", "one")
    until(lambda: heard == ["one"], "the second handler")
    world.write("default", "two")
    until(lambda: heard == ["one", "two"], "the next message")


def test_without_a_handler_recv_receives(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    weilink.run_background()
    world.write("default", "one")
    assert texts(weilink.recv(timeout=5)) == ["one"]


def test_run_forever_ends_by_stop_and_closes(world: World) -> None:
    world.bind("default")
    weilink = world.open()
    ended = threading.Event()

    @weilink.on_message
    def stop(message: Message) -> None:
        weilink.stop()
        ended.set()

    running = InThread(weilink.run_forever)
    world.write("default", "enough")
    assert ended.wait(10)
    assert running.result() is None
    until(lambda: world.cursor("default"), "the cursor of what was handled")


FOREVER = """
import sys
from sessions_app import WeiLink
weilink = WeiLink(base_path=sys.argv[1])
weilink.on_message(lambda message: print(message.text, flush=True))
weilink.run_forever()
print("ended", flush=True)
"""


def test_sigterm_ends_run_forever_cleanly(world: World) -> None:
    world.control.switches(hold_s=20)
    world.bind("default")
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER, str(world.base)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        world.write("default", "hello", PERSON)
        assert process.stdout.readline() == "hello\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "ended\n"
        assert process.wait(10) == 0
    assert world.cursor("default")
