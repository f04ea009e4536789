"""PostgreSQL goes away under three pollers, two web processes and 20 messages a second.

No new poll starts meanwhile, answers in hand go to the spool, pages say so, and everything comes
back by itself: nothing lost, stored twice or sent twice.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import ROOT, Child, wait_for
from tests.services.fleet import Fleet, writing
from tests.services.live_pages import LivePages, live_pages
from tests.services.own_postgres import OwnPostgres

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
SESSIONS = 9
PAUSED_WITHIN_S = 8.0
"""A lease lasts 5 s without a heartbeat, and a poll 2 s more."""
BACK_WITHIN_S = 20.0
SPOOL = ROOT / "var/spool"
"""With a database server it lies in the checkout, one folder for each database."""


@pytest.fixture
def fleet(tmp_path: Path, server: OwnPostgres, redis_url: str) -> Iterator[Fleet]:
    with (
        SimulatorServer(hold_s=20.0, cursor_mode="consumed") as wechat,
        Fleet(tmp_path, wechat, database_url=server.url, redis_url=redis_url) as made,
    ):
        made.add_administrator()
        yield made
    for folder in _spools(made):
        shutil.rmtree(folder)


@pytest.fixture
def bots(fleet: Fleet) -> list[str]:
    return fleet.add_bots(SESSIONS)


@pytest.fixture
def pollers(fleet: Fleet, bots: list[str]) -> list[Child]:
    started = fleet.start_some(3)
    wait_for(lambda: fleet.is_shared(started, SESSIONS), "shared fairly")
    wait_for(lambda: fleet.all_polled(bots), "all polled")
    return started


@pytest.fixture
def pages(fleet: Fleet, pollers: list[Child]) -> Iterator[LivePages]:
    webs = [fleet.start_web(), fleet.start_web()]
    wait_for(lambda: all(web.is_ready() for web in webs), "the web processes", within_s=40)
    with live_pages(webs, "/inbox/") as opened:
        wait_for(lambda: opened.are_listening, "their websockets open")
        yield opened


def _polls_stand_still(fleet: Fleet, for_s: float) -> Callable[[], bool]:
    """Whether that time is over; fails if a poll begins before."""
    before, until = fleet.control.polls()["total"], time.monotonic() + for_s

    def is_over() -> bool:
        now = fleet.control.polls()
        assert (now["now"], now["total"]) == (0, before), "a poll began while the database was away"
        return time.monotonic() > until

    return is_over


def _spools(fleet: Fleet) -> list[Path]:
    """The folder of this test's database, once there is one."""
    name = fleet.database_url.rpartition("/")[2]
    return list(SPOOL.glob(f"*_{name}"))


def _spooled(fleet: Fleet) -> list[Path]:
    return [answer for folder in _spools(fleet) for answer in folder.glob("*.answer")]


@pytest.mark.parametrize(
    "away_s", [4.0, pytest.param(60.0, marks=pytest.mark.slow)], ids=["a while", "a minute"]
)
def test_no_poll_starts_and_everything_comes_back_by_itself(
    fleet: Fleet,
    server: OwnPostgres,
    bots: list[str],
    pollers: list[Child],
    pages: LivePages,
    away_s: float,
) -> None:
    with writing(fleet, bots) as people:
        wait_for(lambda: len(fleet.incoming()) > 20, "the first messages stored")
        fleet.queue_replies((f"guest-{n}@im.wechat", f"answer {n}") for n in range(5))
        server.stop()
        gone_at = time.monotonic()
        wait_for(lambda: pages.is_told("database"), "the pages say so", within_s=12)
        wait_for(
            lambda: fleet.control.polls()["now"] == 0, "the polls end", within_s=PAUSED_WITHIN_S
        )
        print(f"no poll {time.monotonic() - gone_at:.1f} s after the end of the database")
        wait_for(_polls_stand_still(fleet, away_s), "the outage", within_s=away_s + 5)
        spooled = len(_spooled(fleet))
        assert all(child.is_running for child in pollers)
        server.start()
        back_at = time.monotonic()
        wait_for(lambda: fleet.is_shared(pollers, SESSIONS), "shared again", within_s=BACK_WITHIN_S)
        wait_for(lambda: not fleet.lost(people.texts[:-40]), "caught up", within_s=BACK_WITHIN_S)
        print(
            f"{spooled} answers in the spool; all stored {time.monotonic() - back_at:.1f} s after"
        )
    wait_for(lambda: not fleet.lost(people.texts), "nothing lost", within_s=BACK_WITHIN_S)
    wait_for(pages.are_told_of_nothing, "the pages say that it is back", within_s=BACK_WITHIN_S)
    assert _spooled(fleet) == []
    assert fleet.twice() == {}
    assert fleet.most_at_once(bots) == 1
    assert not any("declared dead" in child.err for child in pollers)


@pytest.mark.slow
def test_postgresql_restarted_again_and_again(
    fleet: Fleet, server: OwnPostgres, bots: list[str], pollers: list[Child]
) -> None:
    with writing(fleet, bots) as people:
        for number in range(1, 6):
            people.until(60 * number)
            server.restart()
            wait_for(
                lambda: not fleet.lost(people.texts[:-60]), "caught up", within_s=BACK_WITHIN_S
            )
    wait_for(lambda: not fleet.lost(people.texts), "nothing lost", within_s=BACK_WITHIN_S)
    assert fleet.twice() == {}
    assert fleet.most_at_once(bots) == 1
