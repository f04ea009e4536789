"""Three pollers and two web processes at 20 messages a second, and one fault after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sessions_app.simulator.serve import SimulatorServer
from tests.api.redis_server import OwnRedis, own_redis
from tests.processes.child import Child, wait_for
from tests.services.fleet import PER_S, Fleet, Writing, frozen, writing
from tests.services.live_pages import LivePages, live_pages
from tests.services.own_postgres import OwnPostgres

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]
SESSIONS = 12
BACK_WITHIN_S = 30.0


class Story:
    """What is running, and how each fault is waited out."""

    def __init__(self, fleet: Fleet, own: OwnRedis, server: OwnPostgres) -> None:
        self.fleet, self.redis, self.postgres = fleet, own, server
        self.bots = fleet.add_bots(SESSIONS)
        self.pollers = fleet.start_some(3)
        self.frozen_bots: set[str] = set()
        self.replies = 0

    def go_on(self, people: Writing, what: str) -> None:
        """Until shares are fair and all is stored that was written; then some replies."""
        fleet = self.fleet
        wait_for(
            lambda: fleet.is_shared(self.pollers, SESSIONS),
            f"shared after {what}",
            within_s=BACK_WITHIN_S,
        )
        written = list(people.texts)
        wait_for(lambda: not fleet.lost(written), f"stored after {what}", within_s=BACK_WITHIN_S)
        first, self.replies = self.replies, self.replies + 4
        fleet.queue_replies(
            (f"guest-{number % 10}@im.wechat", f"answer {number}")
            for number in range(first, self.replies)
        )

    def kill(self, _people: Writing) -> None:
        killed = self.pollers.pop(0)
        killed.kill()
        self.pollers.append(self.fleet.start())

    def freeze(self, people: Writing) -> None:
        asleep, others = self.pollers[0], self.pollers[1:]
        self.frozen_bots |= set(self.fleet.bots_of(asleep))
        with frozen(asleep):
            wait_for(lambda: self.fleet.is_shared(others, SESSIONS), "taken over", within_s=20)
            people.until(len(people.texts) + 2 * PER_S)

    def lose_redis(self, people: Writing) -> None:
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
            client.client_kill_filter(_type="pubsub")
        people.until(len(people.texts) + PER_S)
        self.redis.stop()
        people.until(len(people.texts) + 2 * PER_S)
        self.redis.start()

    def restart_postgresql(self, _people: Writing) -> None:
        self.postgres.restart()

    def stop_in_order(self, _people: Writing) -> None:
        assert self.pollers.pop(0).terminate() == 0
        self.pollers.append(self.fleet.start())


@pytest.fixture
def story(tmp_path: Path, server: OwnPostgres) -> Iterator[Story]:
    with (
        own_redis(tmp_path) as own,
        SimulatorServer(hold_s=20.0, cursor_mode="replay") as wechat,
        Fleet(tmp_path, wechat, database_url=server.url, redis_url=own.url) as fleet,
    ):
        fleet.add_administrator()
        yield Story(fleet, own, server)


@pytest.fixture
def pages(story: Story) -> Iterator[LivePages]:
    webs = [story.fleet.start_web(), story.fleet.start_web()]
    wait_for(lambda: all(web.is_ready() for web in webs), "the web processes", within_s=40)
    with live_pages(webs, "/inbox/") as opened:
        yield opened


def test_nothing_is_lost_stored_twice_or_sent_twice(story: Story, pages: LivePages) -> None:
    fleet = story.fleet
    faults = (
        story.kill, story.freeze, story.lose_redis, story.restart_postgresql, story.stop_in_order,
    )  # fmt: skip
    with writing(fleet, story.bots) as people:
        people.until(2 * PER_S)
        story.go_on(people, "the start")
        for fault in faults:
            fault(people)
            story.go_on(people, fault.__name__)
    wait_for(lambda: not fleet.lost(people.texts), "nothing lost", within_s=BACK_WITHIN_S)
    wait_for(lambda: _are_settled(fleet), "replies settled", within_s=BACK_WITHIN_S)
    fates = list(fleet.fates().values())
    print(f"{len(people.texts)} messages, {len(fates)} replies: {dict.fromkeys(fates)}")
    assert fleet.twice() == {}
    assert {status for status, _ in fates} <= {"sent", "unconfirmed"}
    assert fleet.most_at_once(story.frozen_bots) <= 2
    assert fleet.most_at_once(set(story.bots) - story.frozen_bots) == 1
    _assert_pages_are_back(fleet, story.pollers, pages)


def _are_settled(fleet: Fleet) -> bool:
    return not {status for status, _ in fleet.fates().values()} & {"queued", "sending"}


def _assert_pages_are_back(fleet: Fleet, pollers: list[Child], pages: LivePages) -> None:
    wait_for(lambda: pages.are_listening, "websockets open", within_s=BACK_WITHIN_S)
    wait_for(pages.are_told_of_nothing, "nothing is away", within_s=BACK_WITHIN_S)
    [bot, *_] = fleet.bots_of(pollers[0])
    fleet.control.write(bot, "guest-1@im.wechat", "mark-000001")
    wait_for(lambda: pages.have(["mark-000001"]), "pushed to both pages")
