"""The database as it is at one moment, while the console goes on writing."""

import sqlite3
from pathlib import Path
from typing import Any, Protocol

import psycopg
from django.db import connection
from psycopg import sql

from weilink_site.backup import programs
from weilink_site.backup.refused import Refused, of_sqlite
from weilink_site.copying.target import address_of

NOTHING_HERE = "there is nothing to back up; check DATABASE_URL and where this was started"


class Snapshot(Protocol):
    """`pin` fixes the moment and is quick; `write` may take long. Raises Refused."""

    kind: str
    source: str
    server: int
    schema: str
    rows: dict[str, int]
    migrations: list[str]

    def pin(self) -> None: ...
    def write(self, target: Path) -> None: ...
    def close(self) -> None: ...


def open_snapshot() -> Snapshot:
    """Of the default database."""
    return PostgresqlSnapshot() if connection.vendor == "postgresql" else SqliteSnapshot()


class SqliteSnapshot:
    kind, server, schema = "sqlite", 0, ""

    def __init__(self) -> None:
        path = Path(connection.settings_dict["NAME"])
        if not path.is_file():
            raise Refused(f"There is no database {path}: {NOTHING_HERE}.")
        self.source = f"sqlite:///{path}"
        self.rows: dict[str, int] = {}
        self.migrations: list[str] = []
        self._source = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=20, isolation_level=None
        )

    def pin(self) -> None:
        """A read transaction that the copy then uses; with WAL nobody waits for it."""
        try:
            self._source.execute("BEGIN")
            [[tables]] = self._source.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'django_migrations'"
            )
        except sqlite3.Error as error:
            raise of_sqlite(error, "The backup of the database") from None
        if not tables:
            raise Refused(f"The database {self.source} has no tables: {NOTHING_HERE}.")

    def write(self, target: Path) -> None:
        try:
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                self._source.backup(copy)
                self._source.execute("ROLLBACK")
                # The header says WAL, as in the source: the copy is to be one file.
                copy.execute("PRAGMA journal_mode=DELETE")
                check(copy)
                self.rows, self.migrations = contents(copy)
            finally:
                copy.close()
        except sqlite3.Error as error:
            raise of_sqlite(error, "The backup of the database") from None

    def close(self) -> None:
        self._source.close()


def check(database: sqlite3.Connection) -> None:
    """Raises Refused if pages of the file do not fit together."""
    [[found]] = database.execute("PRAGMA quick_check(1)")
    if found != "ok":
        raise Refused(
            f"The SQLite database is damaged ({found}): keep its file and the last good backup, "
            "and let `sqlite3` mend it with .recover."
        )


def contents(database: sqlite3.Connection) -> tuple[dict[str, int], list[str]]:
    """(rows by table, migrations as "app.name")."""
    applied = database.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return rows_of(database), [name for (name,) in applied]


def rows_of(database: sqlite3.Connection) -> dict[str, int]:
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    rows = {}
    for (name,) in sorted(found.fetchall()):
        quoted = '"' + name.replace('"', '""') + '"'
        counting = f"SELECT count(*) FROM {quoted}"  # noqa: S608 - a name of the schema, quoted
        [[rows[name]]] = database.execute(counting)
    return rows


class PostgresqlSnapshot:
    kind = "postgresql"

    def __init__(self) -> None:
        given = connection.settings_dict
        host, port = given["HOST"] or "localhost", f":{given['PORT']}" if given["PORT"] else ""
        self.source = address_of(f"postgres://{given['USER']}@{host}{port}/{given['NAME']}")
        self.rows: dict[str, int] = {}
        self.migrations: list[str] = []
        self._connection = programs.own_connection()
        self.server = self._connection.info.server_version // 10_000
        programs.require("pg_dump", server=self.server)
        [[schema]] = self._all("SELECT current_schema()")
        self.schema = schema or ""
        self._snapshot = ""

    def pin(self) -> None:
        """Export a snapshot, which pg_dump then uses."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [[self._snapshot]] = self._all("SELECT pg_export_snapshot()")
        tables = schema_tables(self._connection, self.schema)
        if "django_migrations" not in tables:
            raise Refused(f"The database {self.source} has no tables: {NOTHING_HERE}.")

    def write(self, target: Path) -> None:
        self.rows, self.migrations = contents_of_schema(self._connection, self.schema)
        programs.dump(target, self.schema, list(self.rows), snapshot=self._snapshot)
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def _all(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()


def schema_tables(database: psycopg.Connection[Any], schema: str) -> list[str]:
    found = database.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
    )
    return [name for (name,) in found.fetchall()]


def contents_of_schema(
    database: psycopg.Connection[Any], schema: str
) -> tuple[dict[str, int], list[str]]:
    """(rows by table, migrations as "app.name")."""
    names = sql.SQL("SELECT app || '.' || name FROM {} ORDER BY 1")
    applied = database.execute(names.format(sql.Identifier(schema, "django_migrations")))
    return rows_of_schema(database, schema), sorted(name for (name,) in applied.fetchall())


def rows_of_schema(database: psycopg.Connection[Any], schema: str) -> dict[str, int]:
    rows = {}
    for name in schema_tables(database, schema):
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
        [[rows[name]]] = database.execute(count).fetchall()
    return rows
