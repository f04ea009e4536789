"""The pool of connections that pages share; the worker's threads have connections of their own.

Every connection is tried before it is used. One that is dead says the same of all that waited
beside it, so the whole pool is renewed: `psycopg_pool` alone would try them one by one, with a
growing pause between two, until the page's time is over.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

RENEWALS = 3
"""How often a page tries again; another page may renew the pool at the same moment."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Named by `ENGINE` in the settings."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        for _ in range(RENEWALS):
            pool = self.pool
            if pool is None or _answers(connection):
                break
            pool.putconn(connection)
            pool.drain()
            connection = super().get_new_connection(conn_params)
        return connection


def _answers(connection: Any) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True
