"""The worker of `console` is a process of its own: neither part holds up the other one."""

import os
import signal

import pytest

from tests.processes.child import children_of, is_alive, wait_for
from tests.processes.console import Console

LINA = "lina@im.wechat"


def _worker_of(console: Console) -> int:
    """The process id of its worker; 0 while there is none."""
    return next(iter(children_of(console.child.process.pid)), 0)


@pytest.fixture
def bot(console: Console) -> str:
    console.start()
    [bot] = console.bind("Lin")
    return str(bot)


def test_messages_are_stored_while_the_web_part_stands_still(console: Console, bot: str) -> None:
    os.kill(console.child.process.pid, signal.SIGSTOP)
    try:
        console.control.write(bot, LINA, "while no page can be drawn")
        wait_for(lambda: console.incoming() == ["while no page can be drawn"], "it stored")
    finally:
        os.kill(console.child.process.pid, signal.SIGCONT)
    assert console.get("/healthz")[0] == 200


def test_pages_answer_while_the_worker_stands_still(console: Console, bot: str) -> None:
    worker = _worker_of(console)
    os.kill(worker, signal.SIGSTOP)
    try:
        cookie = console.log_in()
        assert console.get("/inbox/", Cookie=cookie)[0] == 200
    finally:
        os.kill(worker, signal.SIGCONT)


def test_a_worker_that_was_killed_starts_again_and_receives(console: Console, bot: str) -> None:
    first = _worker_of(console)
    os.kill(first, signal.SIGKILL)
    console.control.write(bot, LINA, "nobody listened")
    wait_for(lambda: console.incoming() == ["nobody listened"], "it stored", within_s=30)
    assert _worker_of(console) not in {0, first}
    assert "the worker ended (status -9)" in console.child.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_worker_ends_with_its_console(console: Console, bot: str, number: int) -> None:
    worker = _worker_of(console)
    console.child.process.send_signal(number)
    console.child.process.wait(30)
    wait_for(lambda: not is_alive(worker), "the worker gone", within_s=2)


def test_a_worker_alone_ends_on_its_own_terms(console: Console, bot: str) -> None:
    """Stopped by hand, it says goodbye; the console starts another one."""
    first = _worker_of(console)
    os.kill(first, signal.SIGTERM)
    wait_for(lambda: _worker_of(console) not in {0, first}, "another worker", within_s=30)
    console.control.write(bot, LINA, "hello")
    wait_for(lambda: console.incoming() == ["hello"], "it stored", within_s=30)
