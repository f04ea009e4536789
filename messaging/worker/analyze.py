"""What the database knows of its own sizes, so that it reads a list by the fitting index.

PostgreSQL gathers that by itself. SQLite does when it is told to.
"""

from django.db import connection

from messaging.models import Conversation

SAMPLE = 1_000
"""Rows of each index that are looked at: milliseconds, however large the table is."""

WHOLE = 100_000
"""Of conversations: a sample takes every index of few values for the same size, and then a list of
one account is read through all of its team. So many rows take 65 ms."""


def learn_sizes() -> None:
    if connection.vendor != "sqlite":
        return
    table = connection.ops.quote_name(Conversation._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit={SAMPLE}")
        cursor.execute("ANALYZE")
        cursor.execute(f"PRAGMA analysis_limit={WHOLE}")
        cursor.execute(f"ANALYZE {table}")
