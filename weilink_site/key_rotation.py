"""Encrypts everything at rest with the newest credential key, while console and workers run.

A step changes a few hundred rows in one transaction and skips rows that another transaction has
locked, so it never waits for anybody and nobody waits long for it. A run that was stopped is
started again: rows that the newest key reads already are only read.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from messaging.receiving.recorder import spool_folder
from sessions_app.database.batches import update_rows
from sessions_app.database.encryption import (
    DecryptionError,
    decrypt,
    decrypt_bytes,
    is_current,
    renewed,
)

ENCRYPTED = (
    ("sessions_app", "Session", "encrypted_token"),
    ("sessions_app", "Context", "encrypted_token"),
    ("sessions_app", "LoginAttempt", "encrypted_result"),
    ("messaging", "Message", "encrypted_raw"),
    ("messaging", "Attachment", "encrypted_item"),
    ("messaging", "Attachment", "encrypted_upload"),
    ("messaging", "RawAnswer", "encrypted_body"),
    ("messaging", "ForgettingKey", "encrypted_key"),
)
"""App, model and field of every encrypted value. A test compares them with the models."""
SET_ASIDE = ".unreadable"
STEP_ROWS = 500
PAUSE_S = 0.05
"""After a step that wrote: SQLite lets in whoever waits to write."""
TRIES = 5
"""How often rows that were locked are tried again."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The values of one column or folder. `older`: an older key reads them; `lost`: none does."""

    name: str
    values: int = 0
    older: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    model: type[models.Model]
    field: str

    @property
    def name(self) -> str:
        return f"{self.model.__name__}.{self.field}"

    def batches(self, step_rows: int) -> Iterator[list[tuple[Any, Any]]]:
        """Primary keys and values, in the order of the keys; empty values are left out."""
        empty: str | bytes = b"" if self.is_binary else ""
        rows = self.model._base_manager.exclude(**{self.field: empty}).order_by("pk")
        batch = list(rows.values_list("pk", self.field)[:step_rows])
        while batch:
            yield [(pk, self.plain(value)) for pk, value in batch]
            later = rows.filter(pk__gt=batch[-1][0])
            batch = list(later.values_list("pk", self.field)[:step_rows])

    @property
    def is_binary(self) -> bool:
        return isinstance(self.model._meta.get_field(self.field), models.BinaryField)

    def plain(self, value: Any) -> Any:
        """PostgreSQL gives a memoryview for bytes."""
        return bytes(value) if self.is_binary else value


def columns() -> list[Column]:
    return [Column(apps.get_model(app, model), field) for app, model, field in ENCRYPTED]


def count() -> list[Counted]:
    """Every column, then the spool. Changes nothing."""
    return [*(_count_column(column) for column in columns()), _count_spool()]


def rotate(
    *,
    step_rows: int = STEP_ROWS,
    pause: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda _line: None,
) -> int:
    """Encrypt all values with the newest key. Returns how many were changed."""
    done = 0
    for column in columns():
        changed = _rotate_column(column, step_rows, pause)
        say(f"{column.name}: {changed:,} encrypted with the newest key")
        done += changed
    return done + _rotate_set_aside()


def _count_column(column: Column) -> Counted:
    found = Counted(column.name)
    for batch in column.batches(STEP_ROWS):
        for _pk, value in batch:
            found = _added(found, value)
    return found


def _added(found: Counted, value: str | bytes) -> Counted:
    found = replace(found, values=found.values + 1)
    if is_current(value):
        return found
    if _is_readable(value):
        return replace(found, older=found.older + 1)
    return replace(found, lost=found.lost + 1)


def _is_readable(value: str | bytes) -> bool:
    try:
        decrypt_bytes(value) if isinstance(value, bytes) else decrypt(value)
    except DecryptionError:
        return False
    return True


def _rotate_column(column: Column, step_rows: int, pause: Callable[[float], None]) -> int:
    done = 0
    left: list[Any] = []
    for batch in column.batches(step_rows):
        older = [pk for pk, value in batch if not is_current(value)]
        if older:
            changed, locked = _renew(column, older)
            done, left = done + changed, left + locked
            pause(PAUSE_S)
    for _try in range(TRIES):
        if not left:
            break
        pause(PAUSE_S)
        changed, left = _renew(column, left)
        done += changed
    return done


def _renew(column: Column, keys: list[Any]) -> tuple[int, list[Any]]:
    """One step. Returns how many values changed, and the keys of rows that were locked."""
    with transaction.atomic():
        rows = column.model._base_manager.filter(pk__in=keys).only("pk", column.field)
        found = list(rows.select_for_update(skip_locked=True, no_key=True).order_by("pk"))
        changed = [row for row in found if _set_renewed(row, column)]
        update_rows(changed, [column.field])
    there = column.model._base_manager.filter(pk__in=keys).values_list("pk", flat=True)
    return len(changed), sorted(set(there) - {row.pk for row in found})


def _set_renewed(row: models.Model, column: Column) -> bool:
    value = column.plain(getattr(row, column.field))
    if is_current(value):
        return False
    try:
        setattr(row, column.field, renewed(value))
    except DecryptionError:
        return False
    return True


# Answers that wait in files


def _spooled() -> list[Path]:
    folder = spool_folder(Path(settings.DATA_DIR))
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if one.suffix in (".answer", SET_ASIDE))


def _content(path: Path) -> bytes:
    """Empty if a worker has just stored it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _count_spool() -> Counted:
    found = Counted("spool")
    for path in _spooled():
        if content := _content(path):
            found = _added(found, content)
    return found


def _rotate_set_aside() -> int:
    """Answers that were set aside. Those that wait are left to the worker, which stores them."""
    done = 0
    for path in _spooled():
        content = _content(path)
        if path.suffix != SET_ASIDE or is_current(content):
            continue
        try:
            fresh = renewed(content)
        except DecryptionError:
            continue
        draft = path.with_name(f".{path.name}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        done += 1
    return done
