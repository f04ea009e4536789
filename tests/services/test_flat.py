"""Pages by the thousand, every second one given up: the process holds no more than before."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import wait_for
from tests.processes.console import Console
from tests.services.database_console import console_on
from tests.services.visitor import Visitor, descriptors

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
PATHS = ("/inbox/", "/sessions/", "/api/v1/conversations", "/account/", "/static/css/base.css")
SPARE = 4
"""What a page that is just being answered may hold."""


@pytest.fixture(params=["sqlite", "postgresql"])
def console(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Console]:
    url = f"sqlite:///{tmp_path / 'console.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "console.sqlite3")
    with SimulatorServer(hold_s=2.0) as wechat, console_on(tmp_path, wechat, url) as made:
        made.start()
        yield made


@pytest.mark.parametrize("pages", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_descriptors_stay_flat_while_every_second_page_is_given_up(
    console: Console, pages: int
) -> None:
    visitor = Visitor(console)
    _turn_over(visitor, 40)
    before = descriptors(console)
    _turn_over(visitor, pages)
    wait_for(lambda: descriptors(console) <= before + SPARE, "nothing is held any more")
    print(f"{pages} pages: {before} descriptors before, {descriptors(console)} after")
    assert visitor.page("/inbox/") == 200


def _turn_over(visitor: Visitor, pages: int) -> None:
    for number in range(pages // 2):
        path = PATHS[number % len(PATHS)]
        visitor.ask(path).close()
        assert visitor.page(path) == 200
