"""Requests that end before their answer: what they held comes back, whoever ended them."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import wait_for
from tests.processes.console import Console
from tests.processes.open_lines import open_websocket
from tests.services.database_console import DatabaseConsole, console_on
from tests.services.visitor import Visitor, connections, descriptors, locked, waiting

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
LINA = "lina@im.wechat"
POOL_SIZE = 16


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


def give_up(visitor: Visitor, path: str, *, count: int) -> None:
    """Leave so many pages while they wait for the lock; the server cancels each after a while."""
    console = visitor.console
    before = _cancelled(console), waiting(console)
    lines = [visitor.ask(path) for _ in range(count)]
    # The worker may come to wait for the same lock.
    wait_for(lambda: waiting(console) >= before[1] + count, "the pages waiting")
    for line in lines:
        line.close()
    wait_for(lambda: _cancelled(console) >= before[0] + count, "the server gave them up")


def _cancelled(console: Console) -> int:
    return console.child.err.count("took too long to shut down and was killed")


@pytest.mark.parametrize("path", ["/inbox/{}/", "/api/v1/conversations/{}/messages"])
def test_pages_given_up_while_the_database_keeps_them_give_their_connections_back(
    console: DatabaseConsole, visitor: Visitor, path: str
) -> None:
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "hello")
    wait_for(lambda: console.incoming() == ["hello"], "a conversation")
    path = path.format(console.rows("SELECT id FROM messaging_conversation")[0][0])
    for _ in range(3):
        with locked(console, "messaging_conversation"):
            give_up(visitor, path, count=7)
            give_up(visitor, path, count=1)  # meanwhile the server has forgotten the others
        wait_for(lambda: waiting(console) == 0, "the database answering again")
        assert [visitor.page(path) for _ in range(3)] == [200, 200, 200]
    assert "couldn't get a connection" not in console.child.err


def test_pages_that_hold_the_whole_pool_do_not_keep_the_worker_from_receiving(
    console: DatabaseConsole, visitor: Visitor
) -> None:
    [bot] = console.bind("Lin")
    with locked(console, "django_session"):  # which only pages read
        lines = [visitor.ask("/inbox/") for _ in range(2 * POOL_SIZE)]
        wait_for(lambda: waiting(console) == POOL_SIZE, "the pool exhausted")
        console.control.write(bot, LINA, "hello")
        wait_for(lambda: console.incoming() == ["hello"], "stored all the same")
        console.queue_replies([(LINA, "an answer")])
        wait_for(lambda: console.fates() == {"an answer": ("sent", "")}, "answered all the same")
        assert waiting(console) == POOL_SIZE
        numbers = console.get("/metrics")[1]
        assert re.search(rf'database_connections{{[^}}]*state="used"[^}}]*}} {POOL_SIZE}', numbers)
        assert "database connections of this process are in use" in console.child.err
        for line in lines:
            line.close()
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
