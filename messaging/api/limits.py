"""Limits how many requests a token may make in a minute. It knows nothing of what is asked.

One process counts for itself; with REDIS_URL all processes count together.
"""

import logging
import time
from collections.abc import Callable

import redis
from django.core.cache.backends.locmem import LocMemCache

from messaging.api.errors import ApiError
from sessions_app.people import throttle
from sessions_app.people.throttle import Bucket, Empty, Level
from sessions_app.team_settings.limits import team_settings

logger = logging.getLogger(__name__)

MINUTE_S = 60
alone = LocMemCache("requests", {"OPTIONS": {"MAX_ENTRIES": 20_000}})
"""Counts of this process, for as long as Redis is away."""


def count_request(key: str, *, clock: Callable[[], float] = time.time) -> None:
    """Raises ApiError 429 with `Retry-After`, the seconds until the next minute begins."""
    bucket = Bucket(capacity=team_settings().api_requests_per_minute, refill_s=MINUTE_S)
    now = clock()
    minute = now - now % MINUTE_S  # full again as each minute of the clock begins
    level = Level(minute, _count(f"requests:{key}:{minute:.0f}", bucket))
    try:
        bucket.check(level, now)
    except Empty as empty:
        words = f"Over {bucket.capacity} requests in this minute. Try again in {empty.wait_s} s."
        headers = {"Retry-After": str(empty.wait_s)}
        raise ApiError(429, "rate_limited", words, headers=headers) from None


def _count(name: str, bucket: Bucket) -> int:
    try:
        return throttle.count(name, bucket)
    except redis.RedisError:
        logger.warning("requests are counted by this process alone", exc_info=True)
        return throttle.count(name, bucket, cache=alone)
