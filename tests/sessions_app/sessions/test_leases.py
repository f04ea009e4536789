"""Leases as rows: claims up to a fair share, releases, numbers, and workers declared dead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import Session, SessionState, WorkerBeat
from sessions_app.sessions import leases
from sessions_app.sessions.leases import BEAT_TTL_S, Held
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db


def _sessions(count: int) -> list[Session]:
    return [make_session(f"Shop {number}") for number in range(count)]


def _look(worker_id: str, limit: int = 100) -> Held:
    """One look of a worker that gives up its surplus at once."""
    held = leases.share_sessions(worker_id, limit=limit)
    leases.release(worker_id, held.surplus)
    return held


def _shares() -> dict[str, int]:
    return {
        worker_id: Session.objects.filter(lease_owner=worker_id).count()
        for worker_id in WorkerBeat.objects.values_list("pk", flat=True)
    }


def _fall_silent(worker_id: str) -> None:
    before = timezone.now() - timedelta(seconds=BEAT_TTL_S + 1)
    WorkerBeat.objects.filter(pk=worker_id).update(heard_at=before)


def test_two_become_three_and_two_again_and_only_what_must_moves() -> None:
    _sessions(12)
    for worker_id in ("a", "b"):
        leases.register(worker_id)
    _look("a")
    _look("b")
    assert _shares() == {"a": 6, "b": 6}
    numbers = dict(Session.objects.values_list("pk", "lease_number"))

    leases.register("c")
    for worker_id in ("c", "a", "b", "c"):
        _look(worker_id)
    assert _shares() == {"a": 4, "b": 4, "c": 4}
    moved = [one for one in Session.objects.all() if one.lease_number != numbers[one.pk]]
    assert {one.lease_owner for one in moved} == {"c"}

    leases.retire("c")
    _look("a")
    _look("b")
    assert _shares() == {"a": 6, "b": 6}


def test_a_surplus_stays_leased_until_it_is_released() -> None:
    _sessions(4)
    leases.register("a")
    _look("a")
    leases.register("b")
    held = leases.share_sessions("a", limit=100)
    assert len(held.surplus) == 2
    assert leases.share_sessions("b", limit=100).sessions == []
    # What is being given up counts as gone, but nobody else may take it yet.
    assert leases.share_sessions("a", limit=100, letting_go=held.surplus).surplus == frozenset()
    leases.release("a", held.surplus)
    assert {one.pk for one in leases.share_sessions("b", limit=100).sessions} == held.surplus


def test_each_claim_has_a_higher_number_and_a_release_none() -> None:
    [session] = _sessions(1)
    for number, worker_id in enumerate(("a", "b"), start=1):
        leases.register(worker_id)
        [claimed] = _look(worker_id).sessions
        assert claimed.lease_number == number
        leases.retire(worker_id)
    leases.release("b", [session.pk])
    session.refresh_from_db()
    assert (session.lease_owner, session.lease_number) == ("", 2)


def test_a_worker_releases_only_what_is_its_own() -> None:
    [session] = _sessions(1)
    leases.register("a")
    _look("a")
    leases.release("b", [session.pk])
    session.refresh_from_db()
    assert session.lease_owner == "a"


def test_a_worker_that_was_removed_claims_nothing() -> None:
    _sessions(2)
    assert _look("gone") == Held([])


def test_nobody_takes_more_than_its_limit() -> None:
    _sessions(3)
    leases.register("a")
    assert len(_look("a", limit=2).sessions) == 2


def test_only_sessions_to_poll_are_shared() -> None:
    paused, *_ = _sessions(3)
    Session.objects.filter(pk=paused.pk).update(state=SessionState.PAUSED)
    for worker_id in ("a", "b"):
        leases.register(worker_id)
    for worker_id in ("a", "b"):
        _look(worker_id)
    assert _shares() == {"a": 1, "b": 1}


def test_a_silent_worker_is_removed_by_another_one_s_heartbeat() -> None:
    for worker_id in ("a", "b"):
        leases.register(worker_id)
    _fall_silent("a")
    assert leases.beat("b", judges=False)
    assert WorkerBeat.objects.filter(pk="a").exists()
    assert leases.beat("b")
    assert not WorkerBeat.objects.filter(pk="a").exists()
    assert not leases.beat("a")


def test_a_silent_worker_that_comes_back_first_is_spared() -> None:
    leases.register("a")
    _fall_silent("a")
    assert leases.beat("a")
    assert leases.beat("a")


def test_the_holder_of_the_folder_s_lock_takes_all() -> None:
    _sessions(3)
    for worker_id in ("a", "b"):
        leases.register(worker_id)
    assert len(leases.claim_all("a", limit=100).sessions) == 3
    assert [one.lease_number for one in leases.claim_all("b", limit=100).sessions] == [2, 2, 2]
