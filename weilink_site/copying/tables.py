"""Which tables are copied, and their rows in one order and one form on both databases."""

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.models.functions import Collate

from sessions_app.models import Installation

BATCH = 500
"""Rows in memory at a time. Few, since a message is kept as it came, too."""
Row = tuple[Any, ...]
_BYTEWISE = {"sqlite": "BINARY", "postgresql": "C"}


@dataclass(frozen=True, slots=True)
class Table:
    """One table that is copied: all its columns, by primary key."""

    model: type[models.Model]

    @property
    def name(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def key(self) -> Any:
        return self.model._meta.pk

    @property
    def fields(self) -> list[Any]:
        """The primary key first."""
        others = [one for one in self.model._meta.local_concrete_fields if one is not self.key]
        return [self.key, *others]

    def rows(self, alias: str) -> Generator[Row, None, None]:
        """All rows, by key, as Python values. Reads `BATCH` rows at a time."""
        key: Any = self.key.attname
        if isinstance(self.key, models.CharField | models.TextField):
            # Servers sort text by the rules of a language; both sides need the same order.
            key = Collate(key, _BYTEWISE[connections[alias].vendor])
        names = [field.attname for field in self.fields]
        found = self.model._base_manager.using(alias).order_by(key).values_list(*names)
        yield from found.iterator(chunk_size=BATCH)


def copied_tables() -> list[Table]:
    """Every table of the project but the row about the installation itself, which is not copied."""
    found = [
        Table(model)
        for model in apps.get_models(include_auto_created=True)
        if model is not Installation and model._meta.managed and not model._meta.proxy
    ]
    return sorted(found, key=lambda table: table.name)


def made_by_migrations() -> set[str]:
    """Tables that hold rows in a new installation, which a copy replaces."""
    return {
        "auth_group", "auth_group_permissions", "auth_permission", "django_content_type",
        "sessions_app_stream", "sessions_app_team",
    }  # fmt: skip


def canonical(row: Row) -> bytes:
    """The row's content, whatever database it was read from."""
    return json.dumps([_plain(value) for value in row], sort_keys=True).encode()


def _plain(value: Any) -> Any:
    """Values that JSON has not are shown with their type, so that no two kinds look alike."""
    if isinstance(value, datetime):
        return ["time", value.astimezone(UTC).isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, memoryview | bytes | bytearray):
        return ["bytes", hashlib.sha256(bytes(value)).hexdigest()]
    if isinstance(value, dict | list):
        return ["json", value]
    return value
