"""One throttle for everything that may be done only so often: sign-in, API requests, invitations.

A bucket holds `capacity` tokens, and each act takes one. `refill_s` after the bucket was last full
it is full again. It is refilled all at once: a limit of 20 an hour then allows 20 in that hour,
whereas 20 tokens and a steady drip would allow nearly 40.

`Bucket` computes and keeps nothing. Its level lives where its user needs it: in a row that is
locked anyway; in the database, where nobody can push it out and no restart forgets it (`take`,
`give_back`, for passwords); or as a counter in Django's cache (`count`), which all processes share
with Redis, for API requests: a write to the database would cost more than most of them.
"""

from dataclasses import dataclass

from django.core.cache import BaseCache
from django.core.cache import cache as shared_cache
from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from sessions_app.people.models import ThrottleCount

KEPT_S = 24 * 3_600
"""Levels in the database are dropped after this time, which is longer than any bucket's."""


class Empty(Exception):  # noqa: N818 - a statement
    """No token is left; the bucket is full again in `wait_s` seconds, rounded up."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Level:
    """How many tokens were taken since `full_at`, in seconds since 1970."""

    full_at: float
    taken: int


@dataclass(frozen=True, slots=True)
class Bucket:
    capacity: int
    refill_s: int

    def take(self, level: Level | None, now: float) -> Level:
        """Return the level after one more token. None is a bucket never used. Raises Empty."""
        if level is None or now - level.full_at >= self.refill_s:
            level = Level(now, 0)
        after = Level(level.full_at, level.taken + 1)
        self.check(after, now)
        return after

    def check(self, level: Level, now: float) -> None:
        """Raises Empty when more tokens were taken than the bucket holds."""
        if not self.allows(level.taken):
            raise Empty(max(1, int(level.full_at + self.refill_s - now) + 1))

    def allows(self, taken: int) -> bool:
        return taken <= self.capacity


def take(name: str, bucket: Bucket, now: float) -> None:
    """Take a token of the named bucket in the database. Raises Empty.

    One statement, so that no token is lost between threads and processes.
    """
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    is_full = f"{table}.full_at <= %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (name, full_at, taken) VALUES (%s, %s, 1) "  # noqa: S608
            "ON CONFLICT (name) DO UPDATE SET "
            f"taken = CASE WHEN {is_full} THEN 1 ELSE {table}.taken + 1 END, "
            f"full_at = CASE WHEN {is_full} THEN excluded.full_at ELSE {table}.full_at END "
            "RETURNING full_at, taken",
            [_digest(name), now, now - bucket.refill_s, now - bucket.refill_s],
        )
        level = Level(*cursor.fetchone())
    if level.taken == 1:
        forget_ended(now)
    bucket.check(level, now)


def give_back(name: str) -> None:
    """Undo one `take`."""
    counted = ThrottleCount.objects.filter(pk=_digest(name), taken__gt=0)
    counted.update(taken=F("taken") - 1)


def refill(name: str) -> None:
    """Make a bucket of `take` full at once."""
    ThrottleCount.objects.filter(pk=_digest(name)).delete()


def forget_ended(now: float) -> None:
    """Delete the levels that nobody needs any more. `take` does so, too, now and then."""
    ThrottleCount.objects.filter(full_at__lt=now - KEPT_S).delete()


def _digest(name: str) -> str:
    """Names and addresses of strangers are not kept as they are."""
    return salted_hmac("throttle", name, algorithm="sha256").hexdigest()


def count(name: str, bucket: Bucket, *, cache: BaseCache = shared_cache) -> int:
    """Take a token of the named bucket; return how many were taken since it was last full.

    The counter ends by itself `refill_s` after its first token, which makes the bucket full.
    No token is lost between threads and processes: `incr` and `add` are each one step, under the
    lock of the memory cache or as one command of Redis. Raises whatever the cache raises.
    """
    key = _key(name)
    try:
        taken = cache.incr(key)
    except ValueError:  # there is no counter
        if cache.add(key, 1, bucket.refill_s):
            return 1
        taken = cache.incr(key)  # somebody else has just begun it
    if taken == 1:
        # With Redis the old counter may end within `incr`, which then begins one without an end.
        cache.touch(key, bucket.refill_s)
    return taken


def _key(name: str) -> str:
    return f"throttle:{name}"
