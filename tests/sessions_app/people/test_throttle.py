"""The token bucket: its arithmetic, and its counter in a cache that threads share."""

import threading
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection

from sessions_app.models import ThrottleCount
from sessions_app.people import throttle
from sessions_app.people.throttle import Bucket, Empty, Level

THREE = Bucket(capacity=3, refill_s=60)


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> LocMemCache:
    return LocMemCache(request.node.nodeid, {})


def test_a_bucket_gives_its_tokens_and_no_more() -> None:
    level: Level | None = None
    for taken in (1, 2, 3):
        level = THREE.take(level, now=1_000.0)
        assert level == Level(1_000.0, taken)
    with pytest.raises(Empty):
        THREE.take(level, now=1_000.0)


@pytest.mark.parametrize(("now", "wait_s"), [(1_000.0, 61), (1_030.5, 30), (1_059.9, 1)])
def test_an_empty_bucket_says_how_long_to_wait(now: float, wait_s: int) -> None:
    with pytest.raises(Empty) as empty:
        THREE.take(Level(1_000.0, 3), now=now)
    assert empty.value.wait_s == wait_s


def test_a_bucket_is_full_again_after_its_time_and_not_before() -> None:
    with pytest.raises(Empty):
        THREE.take(Level(1_000.0, 3), now=1_059.9)
    assert THREE.take(Level(1_000.0, 3), now=1_060.0) == Level(1_060.0, 1)


def test_a_smaller_capacity_holds_at_once() -> None:
    with pytest.raises(Empty):
        Bucket(capacity=1, refill_s=60).take(Level(1_000.0, 2), now=1_001.0)
    with pytest.raises(Empty):
        Bucket(capacity=0, refill_s=60).take(None, now=1_001.0)


def test_a_counter_counts_each_name(memory: LocMemCache) -> None:
    assert [throttle.count("a", THREE, cache=memory) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert throttle.count("b", THREE, cache=memory) == 1


def test_a_counter_ends_by_itself(memory: LocMemCache) -> None:
    over = Bucket(capacity=3, refill_s=0)
    assert [throttle.count("a", over, cache=memory) for _ in range(3)] == [1, 1, 1]


def test_threads_lose_no_token(memory: LocMemCache) -> None:
    counted: list[int] = []
    together = threading.Barrier(8)

    def go() -> None:
        together.wait(30)
        counted.extend(throttle.count("a", THREE, cache=memory) for _ in range(100))

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(counted) == list(range(1, 801))


class _EndsMeanwhile(LocMemCache):
    """As in Redis the counter may: after the look for it, so that `incr` begins an endless one."""

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        self.set(key, delta, timeout=None, version=version)
        return delta


def test_a_counter_that_ends_meanwhile_does_not_stay_for_ever(monkeypatch: Any) -> None:
    cache = _EndsMeanwhile("ends meanwhile", {})
    touched: list[tuple[str, int]] = []
    monkeypatch.setattr(cache, "touch", lambda key, timeout: touched.append((key, timeout)))
    assert throttle.count("a", THREE, cache=cache) == 1
    assert touched == [("throttle:a", 60)]


@pytest.mark.django_db
def test_a_bucket_in_the_database_is_emptied_given_back_and_full_again() -> None:
    for _ in range(3):
        throttle.take("a", THREE, now=1_000.0)
    with pytest.raises(Empty) as empty:
        throttle.take("a", THREE, now=1_030.0)
    assert empty.value.wait_s == 31
    throttle.take("b", THREE, now=1_030.0)
    throttle.give_back("a")
    throttle.give_back("a")
    throttle.take("a", THREE, now=1_030.0)
    with pytest.raises(Empty):
        throttle.take("a", THREE, now=1_059.9)
    throttle.take("a", THREE, now=1_060.0)
    assert ThrottleCount.objects.get(full_at=1_060.0).taken == 1
    throttle.refill("a")
    assert ThrottleCount.objects.count() == 1


@pytest.mark.django_db
def test_old_levels_go() -> None:
    throttle.take("a", THREE, now=1_000.0)
    throttle.take("b", THREE, now=1_001.0 + throttle.KEPT_S)
    assert ThrottleCount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_tokens_from_the_database() -> None:
    granted: list[bool] = []

    def take() -> None:
        try:
            throttle.take("a", THREE, now=1_000.0)
        except Empty:
            granted.append(False)
        else:
            granted.append(True)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [False] * 9 + [True] * 3
