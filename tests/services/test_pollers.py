"""`manage.py poller` with sessions in the database: each bot is polled by one of many at a time."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import wait_for
from tests.services.fleet import Fleet

TAKEN_OVER_WITHIN_S = 15.0


@pytest.fixture
def wechat() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=2.0) as server:
        yield server


@pytest.fixture
def pollers(
    tmp_path: Path, wechat: SimulatorServer, postgres_url: str, redis_url: str
) -> Iterator[Fleet]:
    with Fleet(tmp_path, wechat, database_url=postgres_url, redis_url=redis_url) as made:
        yield made


@pytest.mark.services
def test_when_one_is_killed_the_other_takes_over_and_nothing_is_lost_or_twice(
    pollers: Fleet,
) -> None:
    both = [pollers.start(), pollers.start()]
    bots = pollers.bind("Lin", "Guo")
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=0)
    wait_for(lambda: len(pollers.incoming()) == 20, "the first messages stored")

    holder = pollers.holders().pop()
    [killed] = [child for child in both if child.process.pid == holder]
    [other] = [child for child in both if child is not killed]
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=20)
    killed.kill()
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=40)
    wait_for(lambda: len(pollers.incoming()) == 60, "all stored", within_s=TAKEN_OVER_WITHIN_S)

    assert Counter(pollers.incoming()) == Counter(f"m {number}" for number in range(60))
    assert pollers.holders() == {other.process.pid}
    by_bot = pollers.control.polls()["by_bot"]
    assert {by_bot[bot]["highest"] for bot in bots} == {1}
    assert other.terminate() == 0


@pytest.mark.slow
@pytest.mark.services
def test_two_pollers_send_each_reply_once_and_stop_in_order(pollers: Fleet) -> None:
    both = [pollers.start(), pollers.start()]
    [bot] = pollers.bind("Lin")
    people = [f"guest-{number}@im.wechat" for number in range(10)]
    for user_id in people:
        pollers.control.write(bot, user_id, "a question")
    wait_for(lambda: len(pollers.incoming()) == 10, "the questions stored")
    pollers.queue_replies((user_id, f"{n} to {user_id}") for n in range(3) for user_id in people)

    wait_for(lambda: set(pollers.fates().values()) == {("sent", "")}, "all sent")
    texts = Counter(send["text"] for send in pollers.control.sends(bot_id=bot))
    assert (len(texts), max(texts.values())) == (30, 1)
    for user_id in people:
        assert pollers.control.seen(bot, user_id) == [f"{n} to {user_id}" for n in range(3)]
    for child in both:
        assert child.terminate() == 0
        assert child.out == ""
        assert "Traceback" not in child.err
        assert "pool" not in child.err
    assert pollers.count("sessions_app_workerbeat") == 0
