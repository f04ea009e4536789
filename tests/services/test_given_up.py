"""Requests that end before their answer: what they held comes back, whoever ended them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import wait_for
from tests.processes.console import Console
from tests.processes.open_lines import open_websocket
from tests.services.database_console import DatabaseConsole, console_on
from tests.services.visitor import Visitor, connections, descriptors, locked, waiting
from weilink_site.bounds import limits

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
LINA = "lina@im.wechat"


@pytest.fixture
def wechat() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=2.0) as server:
        yield server


@pytest.fixture
def console(
    tmp_path: Path, wechat: SimulatorServer, postgres_url: str
) -> Iterator[DatabaseConsole]:
    with console_on(tmp_path, wechat, postgres_url) as made:
        made.start()
        yield made


@pytest.fixture
def visitor(console: DatabaseConsole) -> Iterator[Visitor]:
    with Visitor(console) as made:
        yield made


@pytest.fixture
def visitors(console: DatabaseConsole) -> Iterator[list[Visitor]]:
    """As many as can have all requests that run at once."""
    count = limits.PAGES.running // limits.PAGES.running_each
    with ExitStack() as stack:
        yield [stack.enter_context(Visitor(console)) for _ in range(count)]


def give_up(console: Console, visitors: list[Visitor], path: str) -> None:
    """Leave a page of each while it waits for the lock; the server cancels it after a while."""
    before, count = (_cancelled(console), waiting(console)), len(visitors)
    lines = [visitor.ask(path) for visitor in visitors]
    # The worker may come to wait for the same lock.
    wait_for(lambda: waiting(console) >= before[1] + count, "the pages waiting")
    for line in lines:
        line.close()
    wait_for(lambda: _cancelled(console) >= before[0] + count, "the server gave them up")


def _ask_and_leave(visitor: Visitor, count: int) -> None:
    lines = [visitor.ask("/inbox/") for _ in range(count)]
    wait_for(lambda: waiting(visitor.console) == count, "as many waiting as may run")
    for line in lines:
        line.close()


def _cancelled(console: Console) -> int:
    return console.child.err.count("took too long to shut down and was killed")


@pytest.mark.parametrize("path", ["/inbox/{}/", "/api/v1/conversations/{}/messages"])
def test_pages_given_up_while_the_database_keeps_them_give_their_connections_back(
    console: DatabaseConsole, visitors: list[Visitor], path: str
) -> None:
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "hello")
    wait_for(lambda: console.incoming() == ["hello"], "a conversation")
    path = path.format(console.rows("SELECT id FROM messaging_conversation")[0][0])
    for _ in range(3):
        with locked(console, "messaging_conversation"):
            give_up(console, visitors, path)
            give_up(console, visitors[:1], path)  # meanwhile the others are forgotten
        wait_for(lambda: waiting(console) == 0, "the database answering again")
        assert [visitors[0].page(path) for _ in range(3)] == [200, 200, 200]
    assert "couldn't get a connection" not in console.child.err


def test_pages_that_all_wait_for_the_database_do_not_keep_the_worker_from_receiving(
    console: DatabaseConsole, visitors: list[Visitor]
) -> None:
    """Nor health pages: so many pages run at once that some connections of the pool are left."""
    [bot] = console.bind("Lin")
    most = limits.PAGES.running
    assert {visitor.page("/inbox/") for visitor in visitors} == {200}
    with locked(console, "sessions_app_signedinbrowser"):  # which only pages read
        lines = [visitor.ask("/inbox/") for visitor in visitors for _ in range(8)]
        wait_for(lambda: waiting(console) == most, "as many pages waiting as may run")
        console.control.write(bot, LINA, "hello")
        wait_for(lambda: console.incoming() == ["hello"], "stored all the same")
        console.queue_replies([(LINA, "an answer")])
        wait_for(lambda: console.fates() == {"an answer": ("sent", "")}, "answered all the same")
        assert waiting(console) == most
        numbers = console.get("/metrics")[1]
        [used] = re.findall(r'database_connections{[^}]*state="used"[^}]*} (\d+)', numbers)
        assert int(used) >= most
        assert console.get("/readyz")[0] == 200
        for line in lines:
            line.close()
    assert visitors[0].page("/inbox/") == 200


def test_pages_that_are_given_up_keep_their_turn_while_their_threads_are_held(
    console: DatabaseConsole, visitor: Visitor
) -> None:
    """Asking and leaving again and again takes no more of the pool than staying does."""
    most = limits.PAGES.running_each
    assert visitor.page("/inbox/") == 200
    with locked(console, "sessions_app_signedinbrowser"):
        _ask_and_leave(visitor, most)
        wait_for(lambda: _cancelled(console) == most, "given up")
        _ask_and_leave(visitor, most)
        wait_for(lambda: _cancelled(console) == 2 * most, "given up again")
        assert waiting(console) == most
    assert visitor.page("/inbox/") == 200


def test_websockets_long_polls_and_downloads_cut_in_the_middle_leave_nothing_open(
    console: DatabaseConsole, visitor: Visitor
) -> None:
    def cut_all() -> None:
        for _ in range(8):
            open_websocket(console.port, visitor.cookie).close()
            visitor.ask("/api/v1/messages?wait=20").close()
            with closing(visitor.ask("/static/css/base.css")) as line:
                line.recv(10)

    at_rest = connections(console)  # of the worker, and of the pages so far
    cut_all()
    wait_for(lambda: connections(console) <= at_rest + 4, "the first ones let go")
    before = descriptors(console)
    for _ in range(3):
        cut_all()
    wait_for(lambda: descriptors(console) <= before + 2, "all let go")
    assert visitor.page("/inbox/") == 200
