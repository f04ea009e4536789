"""How connections to PostgreSQL are made; plain values, for the settings."""

POOL = {
    "min_size": 2,
    "max_size": 16,
    "timeout": 5,
    # A connection that cannot be made is asked for anew by the next page, not minutes later.
    "reconnect_timeout": 5,
}
ALIVE = {
    "connect_timeout": 5,
    # A server that went away without a word is noticed within half a minute, not in hours.
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}
"""Parameters of libpq; the query of DATABASE_URL may name others."""
