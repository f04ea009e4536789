"""Redis loses its listeners, its data or itself: pages have every message within 10 s, once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sessions_app.simulator.serve import SimulatorServer
from tests.api.redis_server import OwnRedis, own_redis
from tests.processes.child import wait_for
from tests.services.fleet import PER_S, Fleet, Web
from tests.services.live_pages import LivePages, Marks, live_pages

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
LINA = "lina@im.wechat"
KILLS = 20
WITHIN_S = 10.0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnRedis]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str, own: OwnRedis) -> Iterator[Fleet]:
    with (
        SimulatorServer(hold_s=20.0, cursor_mode="replay") as wechat,
        Fleet(tmp_path, wechat, database_url=postgres_url, redis_url=own.url) as made,
    ):
        made.add_administrator()
        yield made


@pytest.fixture
def bot(fleet: Fleet) -> str:
    """A bot with one conversation, polled by one of two pollers."""
    [made] = fleet.add_bots(1)
    fleet.start_some(2)
    fleet.control.write(made, LINA, "the first one")
    wait_for(lambda: fleet.incoming() == ["the first one"], "a conversation", within_s=30)
    return made


@pytest.fixture
def pages(fleet: Fleet, bot: str) -> Iterator[LivePages]:
    webs: list[Web] = [fleet.start_web(), fleet.start_web()]
    wait_for(lambda: all(web.is_ready() for web in webs), "the web processes", within_s=40)
    [(number,)] = fleet.rows("SELECT id FROM messaging_conversation")
    with live_pages(webs, f"/inbox/{number}/") as opened:
        wait_for(lambda: opened.are_listening, "their websockets open")
        yield opened


def _slowest_s(marks: Marks, pages: LivePages) -> float:
    return max(max(pages.arrivals.times[text]) - written for text, written in marks.written.items())


def _assert_once(fleet: Fleet, pages: LivePages, texts: list[str]) -> None:
    assert {text: n for text, n in Counter(fleet.incoming()).items() if n > 1} == {}
    for text in texts:
        assert len(pages.arrivals.times[text]) == len(pages.pages)


def test_listening_connections_killed_twenty_times(
    fleet: Fleet, bot: str, own: OwnRedis, pages: LivePages
) -> None:
    client = redis.Redis.from_url(own.url)
    with client, Marks(fleet, bot, LINA, per_s=PER_S) as marks:
        cut = 0
        for number in range(KILLS):
            marks.until(10 * number)
            cut += int(client.client_kill_filter(_type="pubsub"))
    texts = list(marks.written)
    wait_for(lambda: pages.have(texts), "all on both pages", within_s=WITHIN_S)
    slowest_s = _slowest_s(marks, pages)
    print(f"{KILLS} kills cut {cut} connections; {len(texts)} messages, slowest {slowest_s:.1f} s")
    assert cut >= KILLS
    assert slowest_s < WITHIN_S
    _assert_once(fleet, pages, texts)
    assert pages.are_listening


@pytest.mark.slow
def test_redis_emptied_and_restarted_under_load(
    fleet: Fleet, bot: str, own: OwnRedis, pages: LivePages
) -> None:
    with Marks(fleet, bot, LINA, per_s=PER_S) as marks:
        for _ in range(3):
            before = len(marks.written)
            with redis.Redis.from_url(own.url) as client:
                client.flushall()
            own.stop()
            own.start()
            marks.until(before + 3 * PER_S)
    texts = list(marks.written)
    wait_for(lambda: pages.have(texts), "all on both pages", within_s=WITHIN_S)
    assert _slowest_s(marks, pages) < WITHIN_S
    _assert_once(fleet, pages, texts)


def test_redis_away_is_said_on_the_pages_and_messages_come_all_the_same(
    fleet: Fleet, bot: str, own: OwnRedis, pages: LivePages
) -> None:
    own.stop()
    wait_for(lambda: pages.is_told("hints"), "the pages say so")
    with Marks(fleet, bot, LINA, per_s=2) as marks:
        marks.until(8)
    texts = list(marks.written)
    wait_for(lambda: pages.have(texts), "all on both pages", within_s=WITHIN_S)
    print(f"without Redis the slowest of {len(texts)} came after {_slowest_s(marks, pages):.1f} s")
    assert _slowest_s(marks, pages) < WITHIN_S
    own.start()
    wait_for(pages.are_told_of_nothing, "the pages say that it is back")
    fleet.control.write(bot, LINA, "mark-999999")
    wait_for(lambda: pages.have(["mark-999999"]), "pushed again", within_s=WITHIN_S)
    _assert_once(fleet, pages, texts)
