"""A PostgreSQL that is restarted under a running console: nothing fails for a dead connection."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import run, wait_for
from tests.services.database_console import DatabaseConsole, console_on
from tests.services.own_postgres import OwnPostgres
from tests.services.visitor import Visitor, locked, waiting
from weilink_site.bounds import limits

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
LINA = "lina@im.wechat"
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
Breaks = Callable[[OwnPostgres], object]


@pytest.fixture
def console(tmp_path: Path, server: OwnPostgres) -> Iterator[DatabaseConsole]:
    with (
        SimulatorServer(hold_s=2.0) as wechat,
        console_on(tmp_path, wechat, server.url) as made,
    ):
        made.start()
        yield made


@pytest.mark.parametrize(
    "breaks",
    [OwnPostgres.restart, lambda server: server.execute(CUT)],
    ids=["restarted", "connections cut"],
)
def test_pages_replies_and_messages_go_on_afterwards(
    console: DatabaseConsole, server: OwnPostgres, breaks: Breaks
) -> None:
    [bot] = console.bind("Lin")
    console.control.write(bot, LINA, "before")
    wait_for(lambda: console.incoming() == ["before"], "the first message stored")
    cookie = console.log_in()
    fill_the_pool(console)

    breaks(server)
    # One after the other: each takes another connection of those that are dead now.
    answers = [console.get("/inbox/", Cookie=cookie) for _ in range(20)]
    assert [status for status, _ in answers] == [200] * 20
    console.control.write(bot, LINA, "after")
    wait_for(lambda: console.incoming() == ["before", "after"], "received")
    console.queue_replies([(LINA, "an answer")])
    wait_for(lambda: console.fates() == {"an answer": ("sent", "")}, "answered")
    assert console.spooled() == []
    held = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
    wait_for(lambda: console.rows(held), "the data is this console's again")
    assert run("console", "--port", "0", env=console.env).stderr.startswith("Another console")
    assert console.get("/readyz")[0] == 200


def fill_the_pool(console: DatabaseConsole) -> None:
    """Let many pages wait together, so that many connections lie in the pool afterwards."""
    each, most = limits.PAGES.running_each, limits.PAGES.running
    with ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(console)) for _ in range(most // each)]
        assert {visitor.page("/inbox/") for visitor in visitors} == {200}  # known from now on
        with locked(console, "sessions_app_signedinbrowser"):
            lines = [visitor.ask("/inbox/") for visitor in visitors for _ in range(each)]
            wait_for(lambda: waiting(console) == most, "so many pages waiting")
        assert {line.recv(12) for line in lines} == {b"HTTP/1.1 200"}
