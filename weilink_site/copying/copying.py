"""Copies all rows in one transaction of the target, and compares each with its source.

The transaction holds the comparison, the hold and the unconfirmed replies as well: after any
failure the target is as empty as before. The source is locked meanwhile, and marked as soon as the
target is committed: a crash between the two leaves a copy that is held, never two that work.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import psycopg
from django.core.management.color import no_style
from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    connections,
    models,
    transaction,
)

from messaging.delivering.restored import doubt_restored
from sessions_app.installation import standing
from sessions_app.models import Installation
from weilink_site.copying import checks
from weilink_site.copying.held import forget_receiver
from weilink_site.copying.tables import Row, Table, canonical, copied_tables
from weilink_site.copying.target import TARGET, CopyRefused, on_target
from weilink_site.host.data_lock import DataInUse, DataLock

Say = Callable[[str], None]
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
LOCK_TIMEOUT = "10s"
"""How long the target may wait for somebody who still uses its tables."""


class CopyDiffers(Exception):  # noqa: N818 - a statement
    """A row of the copy is not the row of the source: nothing was kept."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A table after its comparison. `digest`: SHA-256 of all its rows, hexadecimal."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Report:
    tables: list[Checked]
    unconfirmed: int

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def copy_all(*, source: str, target: str, replace_held: bool, say: Say) -> Report:
    """`source`, `target`: addresses to be stored. Raises CopyRefused and CopyDiffers."""
    checks.check_source()
    checks.check_target(replace_held=replace_held)
    with ExitStack() as locks:
        locks.callback(_lock(checks.HERE).release)
        with on_target():
            locks.callback(_lock(checks.THERE).release)
        # SQLite begins with its write lock, so nobody can register as a worker meanwhile.
        with transaction.atomic():
            checks.check_nobody_works(checks.HERE)
            with transaction.atomic(using=TARGET):
                report = _copy_and_check(say)
                with on_target():
                    standing.hold(copy_of=source)
            standing.mark_moved(to=target)
    return report


def _lock(which: str) -> DataLock:
    """The lock of a running console, on the database that is the default now."""
    lock = DataLock()
    try:
        lock.take()
    except DataInUse:
        raise CopyRefused(f"{which} is in use by a console: stop it first.") from None
    return lock


def _copy_and_check(say: Say) -> Report:
    tables = copied_tables()
    _empty(tables)
    for table in tables:
        count = _copy(table)
        if count:
            say(f"copied {count:>12,}  {table.name}")
    _reset_sequences(tables)
    checked = []
    for table in tables:
        with (
            closing(table.rows(DEFAULT_DB_ALIAS)) as ours,
            closing(table.rows(TARGET)) as theirs,
        ):
            found = compare(table.name, ours, theirs)
        say(f"equal  {found.rows:>12,}  {table.name}  sha256 {found.digest}")
        checked.append(found)
    try:
        connections[TARGET].check_constraints()
    except IntegrityError as error:
        raise CopyRefused(f"The rows do not fit together: {_reason(error)}.") from error
    with on_target():
        forget_receiver()
        unconfirmed = doubt_restored()
    return Report(checked, unconfirmed)


def _empty(tables: list[Table]) -> None:
    """What the migrations made, or a held copy, goes: all keys come from the source."""
    quote = connections[TARGET].ops.quote_name
    names = ", ".join(quote(table.name) for table in tables)
    with connections[TARGET].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"TRUNCATE {names}, {quote(Installation._meta.db_table)}")


def _copy(table: Table) -> int:
    """Stream the rows into the target by COPY. Returns how many there were."""
    quote = connections[TARGET].ops.quote_name
    columns = ", ".join(quote(field.column) for field in table.fields)
    statement = f"COPY {quote(table.name)} ({columns}) FROM STDIN"
    count = 0
    try:
        with (
            closing(table.rows(DEFAULT_DB_ALIAS)) as rows,
            connections[TARGET].cursor() as cursor,
            cursor.copy(statement) as copying,
        ):
            for row in _storable(table, rows):
                copying.write_row(row)
                count += 1
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise CopyRefused(f"{table.name} cannot be copied: {_reason(error)}.") from error
    return count


def _reason(error: Exception) -> str:
    """The server's own words, without the content that they are about."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    words = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return words or type(error).__name__


def _storable(table: Table, rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Rows as the target's driver takes them."""
    in_json = [isinstance(field, models.JSONField) for field in table.fields]
    for row in rows:
        written = [
            json.dumps(value) if is_json and value is not None else value
            for is_json, value in zip(in_json, row, strict=True)
        ]
        if any(map(_has_nul, in_json, written)):
            raise CopyRefused(
                f"{table.name} holds a NUL character, which PostgreSQL cannot store, in the row "
                f"with the key {row[0]}: remove it there."
            )
        yield written


def _has_nul(is_json: bool, written: Any) -> bool:
    if not isinstance(written, str):
        return False
    return bool(_NUL_IN_JSON.search(written)) if is_json else "\0" in written


def _reset_sequences(tables: list[Table]) -> None:
    """New rows get keys above the copied ones."""
    target = connections[TARGET]
    statements = target.ops.sequence_reset_sql(no_style(), [table.model for table in tables])
    with target.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def compare(name: str, ours: Iterable[Row], theirs: Iterable[Row]) -> Checked:
    """Compare row by row. Raises CopyDiffers with the key of the first row that differs."""
    digest, count = hashlib.sha256(), 0
    for mine, other in zip_longest(ours, theirs, fillvalue=()):
        content = canonical(mine)
        if content != canonical(other):
            raise CopyDiffers(
                f"{name}: the row with the key {(mine or other)[0]} is not the same in the copy. "
                "Nothing was kept, and the source is as it was."
            )
        digest.update(content)
        count += 1
    return Checked(name, count, digest.hexdigest())
