"""When a wait that is stored as a time is over, also after this host's clock was set back."""

from datetime import datetime, timedelta

from django.db.models import Q

LONGEST_WAIT = timedelta(hours=2)
"""Longer than any pause of ours or of WeChat's that is stored as a time."""


def is_over(until: datetime | None, now: datetime) -> bool:
    """Whether the wait is over.

    A time farther away than any wait was written before the clock was set back. Waiting for it
    could take days.
    """
    return until is None or until <= now or until > now + LONGEST_WAIT


def has_come(column: str, now: datetime) -> Q:
    """The same, as a condition on a column."""
    never, later = Q(**{column: None}), Q(**{f"{column}__gt": now + LONGEST_WAIT})
    return never | Q(**{f"{column}__lte": now}) | later
