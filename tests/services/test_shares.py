"""Three pollers on PostgreSQL and Redis: fair shares, and take-over of a lost or frozen one.

WeChat counts the polls of each token, so that two at once are seen by it, not by us.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import Child, wait_for
from tests.services.fleet import Fleet, frozen, writing

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]
WITHIN_S = 10.0
"""Promised for sharing out anew, and for the sessions of a killed poller."""
SESSIONS = 12
HOLD_S = 20.0
"""A poll does not end by itself within the time of a take-over."""


@pytest.fixture
def wechat(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    options = {"hold_s": HOLD_S, "cursor_mode": "replay", **getattr(request, "param", {})}
    with SimulatorServer(**options) as server:
        yield server


@pytest.fixture
def fleet(
    tmp_path: Path, wechat: SimulatorServer, postgres_url: str, redis_url: str
) -> Iterator[Fleet]:
    with Fleet(tmp_path, wechat, database_url=postgres_url, redis_url=redis_url) as made:
        yield made


def _three_with_fair_shares(fleet: Fleet) -> tuple[list[Child], list[str]]:
    bots = fleet.add_bots(SESSIONS)
    pollers = fleet.start_some(3)
    wait_for(lambda: fleet.is_shared(pollers, SESSIONS), "shared fairly", within_s=WITHIN_S)
    wait_for(lambda: fleet.all_polled(bots), "all polled", within_s=WITHIN_S)
    return pollers, bots


def test_two_pollers_share_with_a_third_and_take_its_share_back(fleet: Fleet) -> None:
    bots = fleet.add_bots(SESSIONS)
    two = fleet.start_some(2)
    wait_for(lambda: fleet.is_shared(two, SESSIONS), "shared by two", within_s=WITHIN_S)
    wait_for(lambda: fleet.all_polled(bots), "all polled", within_s=WITHIN_S)

    third = fleet.start()
    heard_at = time.monotonic()
    wait_for(lambda: fleet.is_shared([*two, third], SESSIONS), "shared by three", within_s=WITHIN_S)
    wait_for(lambda: fleet.all_polled(bots), "all polled by three", within_s=WITHIN_S)
    print(f"two made room for a third within {time.monotonic() - heard_at:.1f} s")

    moves = _lease_numbers(fleet)
    assert third.terminate() == 0
    wait_for(lambda: fleet.is_shared(two, SESSIONS), "shared by two again", within_s=WITHIN_S)
    wait_for(lambda: fleet.all_polled(bots), "all polled by two", within_s=WITHIN_S)
    assert _lease_numbers(fleet) - moves == SESSIONS // 3, "only the third one's sessions moved"
    assert fleet.most_at_once(bots) == 1
    assert [child.terminate() for child in two] == [0, 0]
    assert not [child.err for child in fleet.children if "Traceback" in child.err]


def _lease_numbers(fleet: Fleet) -> int:
    """How often sessions were claimed."""
    return int(fleet.rows("SELECT sum(lease_number) FROM sessions_app_session")[0][0])


def test_sessions_of_a_killed_poller_are_polled_again_within_ten_seconds(fleet: Fleet) -> None:
    """B12, under 20 messages a second and with replies under way."""
    [killed, *others], bots = _three_with_fair_shares(fleet)
    with writing(fleet, bots) as people:
        wait_for(lambda: len(fleet.incoming()) > 40, "the first messages stored")
        fleet.queue_replies((f"guest-{n}@im.wechat", f"answer {n}") for n in range(10))
        orphans = fleet.bots_of(killed)
        killed.kill()
        killed_at, before = time.monotonic(), fleet.poll_totals(orphans)
        wait_for(lambda: fleet.polled_since(before), "polled again", within_s=WITHIN_S)
        print(
            f"B12: {len(orphans)} sessions polled again {time.monotonic() - killed_at:.1f} s later"
        )
    wait_for(lambda: not fleet.lost(people.texts), "nothing lost", within_s=20)
    wait_for(lambda: fleet.is_shared(others, SESSIONS), "shared by two", within_s=WITHIN_S)
    assert fleet.twice() == {}
    assert fleet.most_at_once(bots) == 1
    assert {status for status, _ in fleet.fates().values()} <= {"sent", "unconfirmed"}


@pytest.mark.parametrize(
    ("wechat", "at_once"),
    [({"hold_s": 3.0}, 1), ({"cursor_mode": "consumed"}, 2)],
    ids=["its polls ended", "its polls still open"],
    indirect=["wechat"],
)
def test_a_poller_frozen_longer_than_a_lease_takes_nothing_and_loses_nothing(
    fleet: Fleet, at_once: int
) -> None:
    """What WeChat gives to the frozen process is stored when it wakes, under an old number."""
    [asleep, *others], bots = _three_with_fair_shares(fleet)
    orphans = fleet.bots_of(asleep)
    with writing(fleet, bots) as people:
        wait_for(lambda: len(fleet.incoming()) > 20, "the first messages stored")
        with frozen(asleep):
            frozen_at, before = time.monotonic(), fleet.poll_totals(orphans)
            wait_for(
                lambda: fleet.is_shared(others, SESSIONS) and fleet.polled_since(before),
                "polled by the others",
                within_s=WITHIN_S,
            )
            print(f"taken over from a frozen one after {time.monotonic() - frozen_at:.1f} s")
            stored = len(fleet.incoming())
            wait_for(lambda: len(fleet.incoming()) > stored + 40, "the others store")
        wait_for(
            lambda: fleet.is_shared([asleep, *others], SESSIONS), "shared again", within_s=WITHIN_S
        )
    wait_for(lambda: not fleet.lost(people.texts), "nothing lost", within_s=20)
    assert fleet.twice() == {}
    assert fleet.most_at_once(orphans) <= at_once
    assert fleet.most_at_once(set(bots) - set(orphans)) == 1
    states = "SELECT DISTINCT state FROM sessions_app_session"
    assert fleet.rows(states) == [("connected",)]


def test_a_poller_frozen_inside_a_transaction_keeps_nobody_waiting(fleet: Fleet) -> None:
    """It holds the lock of a stream, which everybody needs who stores a message."""
    [asleep, *others], bots = _three_with_fair_shares(fleet)
    mine, theirs = fleet.bots_of(asleep)[0], fleet.bots_of(others[0])[0]
    waiting = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    with psycopg.connect(fleet.database_url) as holder:
        holder.execute("LOCK TABLE sessions_app_stream IN EXCLUSIVE MODE")
        fleet.control.write(mine, "guest-1@im.wechat", "m 0")
        wait_for(lambda: fleet.rows(waiting), "it waits for the stream")
        with frozen(asleep):
            holder.rollback()
            fleet.control.write(theirs, "guest-2@im.wechat", "m 1")
            wait_for(lambda: "m 1" in fleet.incoming(), "another stores", within_s=WITHIN_S)
            wait_for(lambda: fleet.is_shared(others, SESSIONS), "taken over", within_s=WITHIN_S)
    wait_for(lambda: not fleet.lost(["m 0", "m 1"]), "nothing lost")
    wait_for(
        lambda: fleet.is_shared([asleep, *others], SESSIONS), "shared again", within_s=WITHIN_S
    )
    assert fleet.twice() == {}
    assert fleet.most_at_once(set(bots)) <= 2
