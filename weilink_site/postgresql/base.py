"""The connection pool of the pages. The worker's threads have their own connections.

Every connection is tested before use. If one is dead, so are the others that were idle, and the
whole pool is renewed. `psycopg_pool` alone would test them one by one, with growing pauses, until
the request times out.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

RENEWALS = 3
"""How often a request tries again. Another request may renew the pool at the same moment."""


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
        return connection


def _is_alive(connection: Any) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True
