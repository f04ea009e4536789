"""Walks a table from its oldest rows on, without an index by time.

Primary keys grow with the time at which rows are stored. A walk reads the next few keys, stops at
the first row that is young enough to stay, and remembers in the database how far it came.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import takewhile
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from messaging.models import SweepPosition

AT_ONCE = 300
"""Rows of one step: a transaction of some tens of milliseconds."""


def oldest(
    rows: QuerySet[Any], moment: str, before: datetime, *, after: int = 0, limit: int = AT_ONCE
) -> list[Any]:
    """Keys of the first rows after the key `after`, as long as they are from before that moment.

    `moment`: the name of the column with their time.
    """
    following = rows.filter(pk__gt=after).order_by("pk")
    found = following.values_list("pk", moment)[:limit]
    return [pk for pk, at in takewhile(lambda row: row[1] < before, found)]


@contextmanager
def turn(job: str) -> Iterator[SweepPosition | None]:
    """One step's transaction, with the position of the job. None: another worker is at it."""
    SweepPosition.objects.get_or_create(job=job)
    with transaction.atomic():
        rows = SweepPosition.objects.filter(job=job)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        position = rows.first()
        yield position
        if position is not None:
            position.save(update_fields=["last_key"])


def delete_oldest(model: type[Model], moment: str, before: datetime) -> bool:
    """Delete the oldest rows of a table, and what refers to them. True: there may be more."""
    with transaction.atomic():
        ids = oldest(model._default_manager.all(), moment, before)
        model._default_manager.filter(pk__in=ids).delete()
    return len(ids) >= AT_ONCE
