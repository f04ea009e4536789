"""Conditions whose values stand in the statement itself, not as parameters.

SQLite uses a partial index only where the statement has its condition word for word. It does not
look at parameters when it chooses an index, and derives nothing.
"""

import re

from django.db.models import BooleanField, F, Func

PLAIN = re.compile(r"[a-z_]+")


def among(field: str, *values: str) -> Func:
    """The condition `field IN (values)`, for `filter`. The values are names in lower case."""
    if not all(PLAIN.fullmatch(value) for value in values):
        raise ValueError(f"only names can be written out: {values}")
    names = ", ".join(f"'{value}'" for value in values)
    return Func(F(field), template=f"%(expressions)s IN ({names})", output_field=BooleanField())
