"""Which statements a piece of code sends to the database, by kind and table."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from django.test.utils import CaptureQueriesContext

_LOCK = re.compile(r'SELECT ("\w+"\.)?"id"( AS "\w+")? FROM .* FOR (NO KEY )?UPDATE')
"""Rows locked by key, as PostgreSQL needs before several are written: nothing is read."""
_TABLE = re.compile(r'(?:FROM|INTO|UPDATE)\s+"(\w+)"')


@dataclass
class Queries:
    """`statements`: without those that begin and end transactions."""

    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)

    def __str__(self) -> str:
        return "\n".join(self.statements)

    @property
    def tables_read(self) -> Counter[str]:
        """How often each table was read, by the first table that a SELECT names."""
        selects = (one for one in self.statements if one.startswith("SELECT"))
        found = [one for one in selects if not _LOCK.match(one)]
        return Counter(match[1] for one in found if (match := _TABLE.search(one)))


@contextmanager
def queries() -> Iterator[Queries]:
    """Filled when the block ends."""
    seen = Queries()
    with CaptureQueriesContext(connection) as captured:
        yield seen
    statements = [query["sql"] for query in captured.captured_queries]
    seen.statements = [
        one for one in statements if one.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
    ]
