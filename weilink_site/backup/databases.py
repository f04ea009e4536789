"""Where the database of a backup is put back: beside the present one, then in its place at once.

Until the switch the present database is as it was, and a crash leaves it so.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg import sql

from sessions_app.recording import guard
from weilink_site.backup import programs, workplace
from weilink_site.backup.manifest import Manifest
from weilink_site.backup.refused import Refused, of_sqlite
from weilink_site.backup.snapshot import check, rows_of, rows_of_schema, schema_tables
from weilink_site.copying.tables import made_by_migrations
from weilink_site.copying.target import TARGET, close_target, on_target, open_database

STAGED_SCHEMA, KEPT_SCHEMA = "weilink_restoring", "weilink_kept"
LOCK_TIMEOUT = "10s"
REPLACE = (
    "restore into an empty database, or keep the present data aside with --replace, after every "
    "console, web process and poller was stopped"
)


class RestoredDatabase(Protocol):
    """`check`, `load`, `opened`, then `switch` or `discard`. Raises Refused."""

    def check(self, manifest: Manifest, *, replace: bool) -> None: ...
    def load(self, dump: Path) -> None: ...
    def rows(self) -> dict[str, int]: ...
    def opened(self) -> contextlib.AbstractContextManager[None]: ...
    def switch(self, stamp: str) -> str: ...
    def discard(self) -> None: ...


def database_to_restore() -> RestoredDatabase:
    """The default database."""
    return PostgresqlToRestore() if connection.vendor == "postgresql" else SqliteToRestore()


def _first_full(rows: dict[str, int]) -> str:
    """The first table with rows that the migrations did not make, or ""."""
    ignored = {*made_by_migrations(), "django_migrations"}
    return next((name for name, count in rows.items() if count and name not in ignored), "")


class SqliteToRestore:
    def __init__(self) -> None:
        self._path = Path(connection.settings_dict["NAME"])
        self._staged = self._path.with_name(f"{self._path.name}.restoring")
        self._is_kept = True

    def check(self, manifest: Manifest, *, replace: bool) -> None:
        if not self._is_there():
            return
        try:
            with contextlib.closing(sqlite3.connect(self._path)) as present:
                full = _first_full(rows_of(present))
            reason = full and f"holds data (in {full})"
        except sqlite3.DatabaseError as error:
            reason = f"cannot be read ({error})"
        self._is_kept = bool(reason)
        if reason and not replace:
            raise Refused(f"The database {self._path} {reason}: {REPLACE}.")

    def load(self, dump: Path) -> None:
        self.discard()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        dump.rename(self._staged)
        try:
            with contextlib.closing(sqlite3.connect(self._staged)) as database:
                check(database)
        except sqlite3.Error as error:
            raise of_sqlite(error, "Restoring the database") from None

    def rows(self) -> dict[str, int]:
        with contextlib.closing(sqlite3.connect(self._staged)) as database:
            return rows_of(database)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        open_database({"NAME": str(self._staged)})
        try:
            with on_target():
                yield
        finally:
            close_target()

    def switch(self, stamp: str) -> str:
        """Returns where the former database is now, or ""."""
        connections[DEFAULT_DB_ALIAS].close()
        _in_one_file(self._staged)
        workplace.sync(self._staged)
        aside = ""
        if self._is_there():
            self._close_present()
            if self._is_kept:
                aside = f"{self._path}.before-restore-{stamp}"
                try:
                    os.link(self._path, aside)
                except OSError:
                    self._path.rename(aside)
        for end in ("-wal", "-shm"):
            Path(f"{self._path}{end}").unlink(missing_ok=True)
        self._staged.replace(self._path)
        workplace.sync_folder(self._path.parent)
        return aside

    def _close_present(self) -> None:
        """Bring its WAL into its file. That works only while nobody else has it open."""
        try:
            _in_one_file(self._path)
        except sqlite3.OperationalError:
            raise Refused(
                f"Another process has {self._path} open: stop every console, web process and "
                "poller first."
            ) from None
        except sqlite3.DatabaseError:
            pass  # it is no database any more, and is kept as it is

    def discard(self) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._staged}{end}").unlink(missing_ok=True)

    def _is_there(self) -> bool:
        return self._path.is_file() and self._path.stat().st_size > 0


def _in_one_file(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchall()


class PostgresqlToRestore:
    """The tables go into a schema of their own first, and trade places in one transaction."""

    def __init__(self) -> None:
        connections[DEFAULT_DB_ALIAS].close()
        with contextlib.suppress(AttributeError):
            connections[DEFAULT_DB_ALIAS].close_pool()  # type: ignore[attr-defined]
        self._connection = programs.own_connection()
        [[self._schema]] = self._all("SELECT current_schema()")
        self._from = ""
        self._has_rows = False

    def check(self, manifest: Manifest, *, replace: bool) -> None:
        server = self._connection.info.server_version // 10_000
        if server < manifest.server:
            raise Refused(
                f"The backup comes from PostgreSQL {manifest.server}, and the server here is "
                f"PostgreSQL {server}: use version {manifest.server} or newer."
            )
        for program in ("pg_restore", "psql"):
            programs.require(program, server=max(server, manifest.server))
        self._from = manifest.schema
        if self._schema is None or not self._all(
            "SELECT 1 FROM pg_namespace WHERE nspname = %s", self._from
        ):
            raise Refused(
                f"The database has no schema {self._from}, in which the tables were: create it."
            )
        [[others]] = self._all(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        if others:
            raise Refused(
                f"{others} other connections use this database: stop every console, web process "
                "and poller first."
            )
        full = _first_full(rows_of_schema(self._connection, self._schema))
        if full and not replace:
            raise Refused(f"The database holds data (in {full}): {REPLACE}.")
        self._has_rows = bool(full)

    def load(self, dump: Path) -> None:
        """The dump names its schema, so what lies there steps aside within the transaction."""
        function = sql.Identifier(self._from, guard.FUNCTION).as_string(self._connection)
        before = [
            f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';",
            f"DROP SCHEMA IF EXISTS {STAGED_SCHEMA} CASCADE;",
            f"CREATE SCHEMA {STAGED_SCHEMA}; CREATE SCHEMA {KEPT_SCHEMA};",
            self._moved(self._from, KEPT_SCHEMA),
            # The dump has the tables with their triggers, not what these call.
            guard.CREATE_FUNCTION.format(function=function),
        ]
        after = [
            self._moved(self._from, STAGED_SCHEMA),
            self._moved(KEPT_SCHEMA, self._from),
            f"DROP SCHEMA {KEPT_SCHEMA};",
        ]
        programs.load(dump, before="\n".join(before), after="\n".join(after))

    def rows(self) -> dict[str, int]:
        return rows_of_schema(self._connection, STAGED_SCHEMA)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        options = dict(connections.settings[DEFAULT_DB_ALIAS]["OPTIONS"])
        options.pop("pool", None)
        path = f"-c search_path={STAGED_SCHEMA}"
        options["options"] = f"{options.get('options', '')} {path}".strip()
        open_database({"OPTIONS": options})
        try:
            with on_target():
                yield
        finally:
            close_target()

    def switch(self, stamp: str) -> str:
        """Returns the schema in which the former tables are now, or ""."""
        assert TARGET not in list(connections)
        aside = f"before_restore_{stamp.lower()}" if self._has_rows else ""
        try:
            with self._connection.transaction():
                self._connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                if aside:
                    self._run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(aside)))
                    self._connection.execute(self._moved(self._schema, aside).encode())
                for name in schema_tables(self._connection, self._schema):
                    table = sql.Identifier(self._schema, name)
                    self._run(sql.SQL("DROP TABLE {} CASCADE").format(table))
                function = sql.Identifier(self._schema, guard.FUNCTION)
                self._run(sql.SQL("DROP FUNCTION IF EXISTS {}()").format(function))
                self._connection.execute(self._moved(STAGED_SCHEMA, self._schema).encode())
                self._run(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(STAGED_SCHEMA)))
        except psycopg.errors.LockNotAvailable:
            raise Refused(
                "Somebody uses the tables of this database: stop every console, web process and "
                "poller first."
            ) from None
        return aside and f"the schema {aside}"

    def discard(self) -> None:
        self._connection.execute(f"DROP SCHEMA IF EXISTS {STAGED_SCHEMA} CASCADE")
        self._connection.close()

    def _moved(self, old: str, new: str) -> str:
        """A statement that moves all tables, and the function of the audit log's triggers.

        Their indexes and sequences go with them.
        """
        moved = sql.SQL(
            "DO $move$ DECLARE one text; BEGIN "
            "IF to_regprocedure(format('%I.%I()', {old}, {function})) IS NOT NULL THEN "
            "EXECUTE format('ALTER FUNCTION %I.%I() SET SCHEMA %I', {old}, {function}, {new}); "
            "END IF; "
            "FOR one IN SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = {old} LOOP "
            "EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', {old}, one, {new}); "
            "END LOOP; END $move$;"
        )
        found = moved.format(
            old=sql.Literal(old), new=sql.Literal(new), function=sql.Literal(guard.FUNCTION)
        )
        return found.as_string(self._connection)

    def _run(self, statement: sql.Composed) -> None:
        self._connection.execute(statement)

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement.encode(), values or None).fetchall()
