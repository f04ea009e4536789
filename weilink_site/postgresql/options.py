"""Connection options for PostgreSQL. Plain values, for the settings."""

POOL = {
    "min_size": 2,
    "max_size": 16,
    "timeout": 5,
    # After a failed connection the next page tries again, instead of minutes later.
    "reconnect_timeout": 5,
}
ALIVE = {
    "connect_timeout": 5,
    # A server that disappeared is noticed within half a minute instead of hours.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
    # A process that is frozen in a transaction holds locks that everybody else waits for.
    "options": "-c idle_in_transaction_session_timeout=30000",
}
"""Parameters of libpq. The query of DATABASE_URL may add others."""
