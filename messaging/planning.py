"""What the database knows of its own sizes, so that it reads a list by the fitting index.

PostgreSQL gathers that by itself. SQLite does when it is told to; a sample is enough.
"""

from django.db import connection

SAMPLE = 1_000
"""Rows of each index that are looked at: milliseconds, however large the table is."""


def learn_sizes() -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit={SAMPLE}")
        cursor.execute("ANALYZE")
