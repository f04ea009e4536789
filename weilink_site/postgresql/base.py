"""The connection pool of the pages. The worker's threads have their own connections.

Every connection is tested before use. If one is dead, so are the others that were idle, and the
whole pool is renewed. `psycopg_pool` alone would test them one by one, with growing pauses, until
the request times out.

A pool that is nearly empty is said in the log, before pages have to wait for a connection.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

logger = logging.getLogger(__name__)

RENEWALS = 3
"""How often a request tries again. Another request may renew the pool at the same moment."""
NEARLY_EMPTY = 0.8
"""The share of connections in use from which the log warns."""
WARN_EVERY_S = 60.0

_warned_at = float("-inf")


@dataclass(frozen=True, slots=True)
class PoolUse:
    """The connections of one process: in use, at most, and requests that wait for one."""

    used: int
    most: int
    waiting: int

    @classmethod
    def of(cls, pool: Any) -> "PoolUse":
        now = pool.get_stats()
        used = now["pool_size"] - now["pool_available"]
        return cls(used, now["pool_max"], now.get("requests_waiting", 0))

    @property
    def is_nearly_empty(self) -> bool:
        return self.waiting > 0 or self.used >= NEARLY_EMPTY * self.most


class DatabaseWrapper(base.DatabaseWrapper):
    """`ENGINE` in the settings names this class."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        for _ in range(RENEWALS):
            pool = self.pool
            if pool is None or _is_alive(connection):
                break
            pool.putconn(connection)
            pool.drain()
            connection = super().get_new_connection(conn_params)
        if self.pool is not None:
            _warn(PoolUse.of(self.pool))
        return connection


def _is_alive(connection: Any) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True


def _warn(use: PoolUse) -> None:
    global _warned_at
    now = time.monotonic()
    if use.is_nearly_empty and now - _warned_at >= WARN_EVERY_S:
        _warned_at = now
        logger.warning(
            "%d of %d database connections of this process are in use, %d requests wait for one: "
            "start another web process, or find out which pages are slow",
            use.used, use.most, use.waiting,
        )  # fmt: skip
