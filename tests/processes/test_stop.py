"""SIGTERM: an end whatever is open, nothing half-written, going on afterwards."""

import contextlib
import http.client
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from tests.processes.child import wait_for
from tests.processes.console import Console
from tests.processes.open_lines import open_slow_page, open_websocket

LINA = "lina@im.wechat"
SEND = "/ilink/bot/sendmessage"


def _nothing_is_half_written(console: Console) -> None:
    assert console.count("messaging_message", "status = 'sending'") == 0
    assert console.count("sessions_app_workerbeat") == 0
    assert console.spooled() == []
    assert "Traceback" not in console.child.err


def test_it_stops_with_polls_a_websocket_a_slow_page_and_a_send_open(console: Console) -> None:
    console.start()
    [bot, _other] = console.bind("Lin", "Guo")
    console.control.write(bot, LINA, "hello")
    wait_for(lambda: console.incoming() == ["hello"], "the message stored")
    cookie = console.log_in()
    console.control.add_fault("slow", path=SEND, delay_s=1.5)
    with closing(open_websocket(console.port, cookie)), closing(open_slow_page(console.port)):
        wait_for(lambda: console.control.polls()["now"] == 2, "both polls open")
        console.queue_replies([(LINA, "first"), (LINA, "second")])
        wait_for(lambda: not console.control.faults(), "the first reply on the wire")
        assert console.child.terminate() == 0

    _nothing_is_half_written(console)
    assert console.fates() == {"first": ("sent", ""), "second": ("queued", "")}
    assert console.control.seen(bot, LINA) == ["first"]


@pytest.mark.parametrize("first", ["asked", "answered"])
def test_it_stops_while_pages_are_being_answered(console: Console, first: str) -> None:
    console.start()
    cookie = console.log_in()
    answered = threading.Event()

    def ask() -> None:
        while console.get("/sessions/", Cookie=cookie)[0]:
            answered.set()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    if first == "answered":
        assert answered.wait(30)
    assert console.child.terminate() == 0
    for asker in askers:
        asker.join()
    _nothing_is_half_written(console)


def test_a_page_that_waits_for_a_locked_database_does_not_hold_it(console: Console) -> None:
    console.start()

    def write_a_session() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            console.log_in()

    with closing(sqlite3.connect(console.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        page = threading.Thread(target=write_a_session)
        page.start()
        time.sleep(0.5)
        assert page.is_alive()
        assert console.child.terminate() == 0
    page.join()


@pytest.mark.slow
def test_started_again_it_goes_on_without_a_new_login(console: Console) -> None:
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "before")
    wait_for(lambda: console.incoming() == ["before"], "the first message stored")
    assert console.child.terminate() == 0
    console.control.write(bot, LINA, "while it was down")
    console.queue_replies([(LINA, "an answer")])

    console.start()
    wait_for(lambda: console.incoming() == ["before", "while it was down"], "both stored")
    wait_for(lambda: console.fates() == {"an answer": ("sent", "")}, "the answer sent")
    assert console.control.seen(bot, LINA) == ["an answer"]
    assert console.count("sessions_app_loginattempt") == 1


def test_a_stop_while_it_starts_is_a_clean_stop(console: Console) -> None:
    child = console.launch()
    wait_for(lambda: console.get("/healthz")[0] == 200, "the pages answering")
    assert child.terminate() == 0
    _nothing_is_half_written(console)


@pytest.mark.slow
def test_a_send_that_does_not_end_is_unconfirmed_never_queued_again(console: Console) -> None:
    console.start()
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "hello")
    wait_for(lambda: console.incoming() == ["hello"], "the message stored")
    console.control.add_fault("drip", path=SEND, delay_s=5.0)
    console.queue_replies([(LINA, "an answer")])
    wait_for(lambda: console.control.seen(bot, LINA), "the reply at WeChat")

    assert console.child.terminate() == 0
    _nothing_is_half_written(console)
    assert console.fates() == {"an answer": ("unconfirmed", "line_broken")}
