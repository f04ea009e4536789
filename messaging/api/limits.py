"""How many requests a token may make in a minute. Counts; knows nothing of what is asked.

One process counts for itself; with REDIS_URL all processes count together.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import redis
from django.conf import settings

from messaging.api.errors import ApiError
from sessions_app.team_settings.limits import team_settings

logger = logging.getLogger(__name__)

WINDOW_S = 60
REDIS_TIMEOUT_S = 0.5


class Tally(Protocol):
    def hit(self, key: str, window: int) -> int:
        """Count one request of `key` in the numbered window; returns how many there are now."""


class LocalTally:
    """Counts of the running window, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def hit(self, key: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[key] = count = self._counts.get(key, 0) + 1
            return count


class RedisTally:
    """The same, for all processes. While Redis is away each process counts for itself."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
        )
        self._local = LocalTally()

    def hit(self, key: str, window: int) -> int:
        name = f"weilink:requests:{key}:{window}"
        try:
            with self._redis.pipeline() as both:
                both.incr(name)
                both.expire(name, 2 * WINDOW_S)
                return int(both.execute()[0])
        except redis.RedisError:
            logger.warning("requests are counted by this process alone", exc_info=True)
            return self._local.hit(key, window)

    def close(self) -> None:
        self._redis.close()


@lru_cache(maxsize=1)
def tally() -> Tally:
    return RedisTally(settings.REDIS_URL) if settings.REDIS_URL else LocalTally()


def count_request(key: str, *, clock: Callable[[], float] = time.time) -> None:
    """Raises ApiError 429 with `Retry-After`, the seconds until the next minute begins."""
    limit = team_settings().api_requests_per_minute
    now = clock()
    window = int(now // WINDOW_S)
    if tally().hit(key, window) <= limit:
        return
    wait_s = max(1, int((window + 1) * WINDOW_S - now) + 1)
    words = f"Over {limit} requests in this minute. Try again in {wait_s} s."
    raise ApiError(429, "rate_limited", words, headers={"Retry-After": str(wait_s)})
