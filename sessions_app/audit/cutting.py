"""Deletes old entries of the audit log: only `manage.py audit cut` does, and it is recorded."""

from datetime import datetime

from django.db import connection

from sessions_app.models import AuditEntry
from sessions_app.recording import guard
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record

BATCH = 5_000
"""Rows per transaction: on PostgreSQL nothing else is recorded meanwhile."""


def cut(*, before: datetime, batch: int = BATCH) -> int:
    """Delete what is older. Returns how many entries.

    The entry about it is written first, so that an interrupted cut has been recorded, too.
    """
    old = AuditEntry.objects.filter(at__lt=before).order_by("pk")
    count = old.count()
    if not count:
        return 0
    subject = Subject(Kind.AUDIT_LOG)
    record(Action.AUDIT_CUT, subject, until=before.date().isoformat(), count=count)
    while keys := list(old.values_list("pk", flat=True)[:batch]):
        with guard.lifted(connection), connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{guard.TABLE}" WHERE id <= %s AND at < %s',  # noqa: S608
                [keys[-1], connection.ops.adapt_datetimefield_value(before)],
            )
    return count
