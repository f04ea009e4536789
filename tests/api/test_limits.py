"""6,000 requests a minute per token, then 429; one count for all processes with Redis."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.core.cache.backends.redis import RedisCache
from django.db import connections

from messaging.api import limits
from messaging.api.errors import ApiError
from sessions_app.models import Team
from sessions_app.people import throttle
from sessions_app.people.roles import Role
from sessions_app.people.throttle import Bucket
from sessions_app.team_settings.limits import TeamSettings
from tests.api.callers import Caller, calling, token_of
from tests.conftest import Cast, make_user
from tests.ports import free_port


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch, limited: Callable[..., None]) -> None:
    limited(api_requests_per_minute=5)
    now = time.time()  # the minute does not end within a test
    monkeypatch.setattr(limits.count_request, "__kwdefaults__", {"clock": lambda: now})


def test_the_limit_is_the_contracts() -> None:
    assert TeamSettings().api_requests_per_minute == 6_000


@pytest.mark.django_db
def test_one_too_many_is_429_and_says_when_to_come_again(cast: Cast, five: None) -> None:
    caller, other = calling(cast.agent), calling(cast.agent)
    assert [caller.get("/status").status for _ in range(5)] == [200] * 5
    answer = caller.get("/messages")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert other.get("/status").status == 200  # per token


@pytest.mark.django_db
def test_refused_requests_are_not_forgiven_and_strangers_cost_nobody(
    cast: Cast, five: None
) -> None:
    caller = calling(cast.agent)
    for _ in range(20):
        Caller("wlk_" + "x" * 43).get("/status")
    assert [caller.get("/sessions").status for _ in range(6)] == [403] * 5 + [429]


def test_a_new_minute_begins_anew(limited: Callable[..., None]) -> None:
    limited(api_requests_per_minute=2)
    now = 1_000 * 60.0
    for _ in range(2):
        limits.count_request("token:1", clock=lambda: now + 59.5)
    with pytest.raises(ApiError) as refused:
        limits.count_request("token:1", clock=lambda: now + 59.5)
    assert refused.value.headers == {"Retry-After": "1"}
    limits.count_request("token:1", clock=lambda: now + 60)


def test_threads_count_together(seeded: Team, five: None) -> None:
    secret = token_of(make_user("wei", Role.AGENT, seeded))
    statuses: list[int] = []

    def go() -> None:
        statuses.append(Caller(secret).get("/status").status)
        connections.close_all()

    conversations = [threading.Thread(target=go) for _ in range(8)]
    for one in conversations:
        one.start()
    for one in conversations:
        one.join(30)
    assert sorted(statuses) == [200] * 5 + [429] * 3


def test_each_caller_has_a_bucket_of_its_own(limited: Callable[..., None]) -> None:
    limited(api_requests_per_minute=1)
    for caller in ("token:1", "token:2", "user:1"):
        limits.count_request(caller, clock=lambda: 60_000.0)


def _counting_in(settings: Any, url: str) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
    }


def test_while_redis_is_away_each_process_counts_for_itself(
    settings: Any, limited: Callable[..., None]
) -> None:
    limited(api_requests_per_minute=2)
    _counting_in(settings, f"redis://127.0.0.1:{free_port()}/0")
    for _ in range(2):
        limits.count_request("token:1", clock=lambda: 60_000.0)
    with pytest.raises(ApiError):
        limits.count_request("token:1", clock=lambda: 60_000.0)


@pytest.mark.services
def test_with_redis_processes_count_together(
    settings: Any, redis_url: str, limited: Callable[..., None]
) -> None:
    limited(api_requests_per_minute=2)
    _counting_in(settings, redis_url)
    limits.count_request("token:1", clock=lambda: 60_000.0)
    other = RedisCache(redis_url, {})  # another process
    bucket = Bucket(capacity=2, refill_s=limits.MINUTE_S)
    assert throttle.count("requests:token:1:60000", bucket, cache=other) == 2
    with pytest.raises(ApiError):
        limits.count_request("token:1", clock=lambda: 60_000.0)
    with redis.Redis.from_url(redis_url) as server:
        [key] = server.keys()
        assert 0 < server.ttl(key) <= limits.MINUTE_S
