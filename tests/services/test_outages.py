"""Database and Redis go away under a running console: the log stays short, and says it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.api.redis_server import OwnRedis, own_redis
from tests.processes.child import wait_for
from tests.processes.console import Console, as_json
from tests.processes.open_lines import open_websocket
from tests.services.database_console import DatabaseConsole, console_on
from tests.services.own_postgres import OwnPostgres

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def console(tmp_path: Path, server: OwnPostgres, redis: OwnRedis) -> Iterator[DatabaseConsole]:
    with (
        SimulatorServer(hold_s=2.0) as wechat,
        console_on(tmp_path, wechat, server.url) as made,
    ):
        made.env |= {"REDIS_URL": redis.url}
        made.start()
        yield made


def _said_since(console: Console, before: str) -> list[str]:
    return console.child.err.removeprefix(before).splitlines()


def _is_said(console: Console, before: str, words: str) -> bool:
    return any(words in line for line in _said_since(console, before))


def _each_process_said_each_once(console: Console, before: str, what: str) -> None:
    """The web part, the worker or both notice it; nothing else is said."""
    lines = _said_since(console, before)
    away = [line for line in lines if f"{what} does not answer" in line]
    back = [line for line in lines if f"{what} works again" in line]
    assert 1 <= len(away) <= 2, lines
    assert 1 <= len(back) <= 2, lines
    assert len(lines) == len(away) + len(back), lines


def test_the_database_away_is_one_line_and_one_at_its_return(
    console: DatabaseConsole, server: OwnPostgres
) -> None:
    cookie, before = console.log_in(), console.child.err
    with closing(open_websocket(console.port, cookie)):
        server.stop()
        wait_for(lambda: _is_said(console, before, "database does not answer"), "it is said")
        assert [console.get("/inbox/", Cookie=cookie)[0] for _ in range(2)] == [503, 503]
        for headers in ({"Cookie": cookie}, {"Authorization": "Bearer wlk_x"}):
            status, answer = console.get("/api/v1/status", **headers)
            assert (status, as_json(answer)["error"]["code"]) == (503, "unavailable")
        assert as_json(console.get("/readyz")[1])["database"] != "ok"
        server.start()
        wait_for(lambda: _is_said(console, before, "The database works again"), "its return")
    wait_for(lambda: console.get("/readyz")[0] == 200, "ready again")
    assert console.get("/inbox/", Cookie=cookie)[0] == 200
    _each_process_said_each_once(console, before, "database")


def test_redis_away_is_one_line_and_one_at_its_return(
    console: DatabaseConsole, redis: OwnRedis
) -> None:
    [bot] = console.bind("Lin")
    cookie, before = console.log_in(), console.child.err
    with closing(open_websocket(console.port, cookie)):
        redis.stop()
        console.control.write(bot, "lina@im.wechat", "hello")
        wait_for(lambda: console.incoming() == ["hello"], "received all the same")
        wait_for(lambda: _is_said(console, before, "Redis does not answer"), "it is said")
        assert [console.get("/inbox/", Cookie=cookie)[0] for _ in range(3)] == [200] * 3
        redis.start()
        wait_for(lambda: _is_said(console, before, "Redis works again"), "its return")
    wait_for(lambda: console.get("/readyz")[0] == 200, "ready again")
    _each_process_said_each_once(console, before, "Redis")
