"""`manage.py backup` and `restore` on PostgreSQL, beside a console that works."""

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sessions_app.simulator.serve import SimulatorServer
from tests.backup import restored
from tests.backup.restored import backup, contents, refusal, restore
from tests.migrated import named
from tests.processes.child import run, wait_for
from tests.services.database_console import DatabaseConsole
from tests.services.host.programs import needs

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

MakeDatabase = Callable[[], str]
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1"


@pytest.fixture
def wechat() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=2.0) as server:
        yield server


@pytest.fixture
def console(
    tmp_path: Path, wechat: SimulatorServer, postgres_url: str
) -> Iterator[DatabaseConsole]:
    for program in ("pg_dump", "pg_restore", "psql"):
        needs(program)
    made = DatabaseConsole(tmp_path, wechat, postgres_url)
    yield made
    made.close()


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[MakeDatabase]:
    """Makes databases without any table."""
    names: list[str] = []

    def make() -> str:
        names.append(f"weilink_restored_{secrets.token_hex(6)}")
        with psycopg.connect(postgres_server, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{names[-1]}"')
        return named(postgres_server, names[-1])

    yield make
    with psycopg.connect(postgres_server, autocommit=True) as server:
        for name in names:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def another(
    console: DatabaseConsole, empty_database: MakeDatabase, tmp_path: Path
) -> Iterator[Callable[[], DatabaseConsole]]:
    """Makes a host with an empty database, the keys and the same WeChat."""
    made: list[DatabaseConsole] = []

    def make() -> DatabaseConsole:
        folder = tmp_path / f"other-{len(made)}"
        folder.mkdir()
        here = DatabaseConsole(folder, console.simulator, empty_database())
        for name in ("SECRET_KEY", "WEILINK_CREDENTIAL_KEYS"):
            here.env[name] = console.env[name]
        made.append(here)
        return here

    yield make
    for one in made:
        one.close()


def rows_of(console: DatabaseConsole, schema: str = "public") -> dict[str, list[tuple[Any, ...]]]:
    tables = console.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")
    return {
        name: sorted(console.rows(f'SELECT t::text FROM "{schema}"."{name}" t'))
        for (name,) in tables
        if name not in restored.CHANGED
    }


def test_a_backup_of_a_running_console_comes_back_held(
    console: DatabaseConsole, another: Callable[[], DatabaseConsole], tmp_path: Path
) -> None:
    bot = restored.with_a_day_of_work(console)
    restored.with_open_replies(console, bot)
    writing = threading.Thread(
        target=lambda: console.control.write_bulk([bot], count=300, people=20, prefix="m")
    )
    writing.start()
    wait_for(lambda: len(console.incoming()) > 20, "some of them stored")
    before = console.incoming()
    file = tmp_path / "backup.tar"
    said = backup(console, file).stdout
    writing.join(30)
    assert "rows of PostgreSQL are in it." in said
    assert "session folder" not in said
    console.child.kill()

    here = another()
    said = restore(here, file).stdout
    assert "2 open replies are unconfirmed." in said
    assert contents(here.folder / "media") == contents(console.folder / "media")
    here.start()
    assert here.incoming()[: len(before)] == before
    restored.is_held_and_silent(here, bot)
    restored.works_after_its_release(here, bot)
    assert here.child.terminate() == 0
    assert "Traceback" not in here.child.err


def test_what_was_restored_equals_what_was_backed_up(
    console: DatabaseConsole, another: Callable[[], DatabaseConsole], tmp_path: Path
) -> None:
    """Row by row, with keys that go on after the restored ones, and indexes and rules as before."""
    restored.with_a_day_of_work(console)
    assert console.child.terminate() == 0
    file = tmp_path / "backup.tar"
    backup(console, file)
    here = another()
    restore(here, file)
    assert rows_of(here) == rows_of(console)
    for found in (
        # Servers write a condition back in other words.
        "SELECT tablename, indexname, split_part(indexdef, ' WHERE ', 1) FROM pg_indexes "
        "WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, contype, confrelid::regclass::text "
        "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' "
        "AND sequencename !~ 'workerbeat|installation|auditentry'",
        "SELECT tgname, tgrelid::regclass::text, tgfoid::regprocedure::text FROM pg_trigger "
        "WHERE NOT tgisinternal",
    ):
        assert sorted(here.rows(found), key=repr) == sorted(console.rows(found), key=repr)
    assert here.rows(SCHEMAS) == [("public",)]
    assert here.rows("SELECT action FROM sessions_app_auditentry ORDER BY id DESC LIMIT 1") == [
        ("backup_restored",)
    ]
    with pytest.raises(psycopg.errors.RestrictViolation):
        here.rows("DELETE FROM sessions_app_auditentry RETURNING id")
    [[of]] = here.rows("SELECT held_of FROM sessions_app_installation WHERE held_at IS NOT NULL")
    assert " (backup of 20" in of
    assert "UTC)" in of


def test_present_data_is_left_alone_or_kept_aside(console: DatabaseConsole, tmp_path: Path) -> None:
    restored.with_a_day_of_work(console)
    file = tmp_path / "backup.tar"
    backup(console, file)
    assert "other connections use this database" in refusal(
        console, "restore", str(file), "--replace"
    )
    assert console.child.terminate() == 0
    wait_until_free(console)
    assert "The database holds data (in " in refusal(console, "restore", str(file))
    console.rows("UPDATE messaging_message SET text = 'changed since' RETURNING 1")
    before = rows_of(console)
    said = restore(console, file, "--replace").stdout
    [_public, [aside]] = sorted(console.rows(SCHEMAS), reverse=True)
    assert f"The former data is kept in the schema {aside}" in said
    assert rows_of(console, aside) == before
    assert "changed since" not in console.incoming()
    assert restore(console, file, "--replace").returncode == 0


def wait_until_free(console: DatabaseConsole) -> None:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    wait_for(lambda: console.rows(others) == [(0,)], "nobody connected")


def test_after_a_failure_the_database_is_as_it_was(
    console: DatabaseConsole, tmp_path: Path
) -> None:
    """The dump cannot be loaded to its end; the next restore works."""
    file = tmp_path / "backup.tar"
    console.rows("UPDATE sessions_app_team SET name = 'Ours' RETURNING 1")
    backup(console, file)
    before = rows_of(console)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_restore").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {shutil.which("pg_restore")} "$@"\n'
        f'{shutil.which("pg_restore")} "$@" | head -c 200000\n'
        'echo "pg_restore: error: the disk broke" >&2; exit 1\n'
    )
    (programs / "pg_restore").chmod(0o755)
    path = console.env["PATH"]
    console.env["PATH"] = f"{programs}:{path}"
    sentence = refusal(console, "restore", str(file), "--replace")
    assert sentence == "pg_restore failed: the disk broke."
    assert rows_of(console) == before
    assert console.rows(SCHEMAS) == [("public",)]

    (programs / "pg_restore").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {shutil.which("pg_restore")} "$@"\n'
        f'{shutil.which("pg_restore")} "$@"; echo "SELECT 1/0;"\n'
    )
    assert "psql failed" in (sentence := refusal(console, "restore", str(file), "--replace"))
    assert "division by zero" in sentence
    assert rows_of(console) == before
    console.env["PATH"] = path
    restore(console, file, "--replace")
    assert rows_of(console) == before


@pytest.mark.parametrize(
    ("version", "words"),
    [(None, "is not installed"), ("9.6.1", "is older than PostgreSQL"), ("", "is older than")],
)
def test_a_program_that_is_missing_or_too_old_is_named(
    console: DatabaseConsole, tmp_path: Path, version: str | None, words: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for needed in ("python3", "sh", "env"):
        (programs / needed).symlink_to(shutil.which(needed) or needed)
    if version is not None:
        (programs / "pg_dump").write_text(f'#!/bin/sh\necho "pg_dump (PostgreSQL) {version}"\n')
        (programs / "pg_dump").chmod(0o755)
    console.env["PATH"] = str(programs)
    sentence = refusal(console, "backup", str(tmp_path / "backup.tar"))
    assert sentence.startswith("pg_dump ")
    assert words in sentence
    assert not (tmp_path / "backup.tar").exists()


def test_a_backup_goes_back_into_the_same_kind_of_database(
    console: DatabaseConsole, another: Callable[[], DatabaseConsole], tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    backup(console, file)
    here = another()
    here.env["DATABASE_URL"] = f"sqlite:///{here.database}"
    assert "is of PostgreSQL and DATABASE_URL names SQLite" in refusal(here, "restore", str(file))
    assert run("migrate", "--verbosity", "0", env=here.env).returncode == 0
    backup(here, tmp_path / "sqlite.tar")
    sentence = refusal(console, "restore", str(tmp_path / "sqlite.tar"), "--replace")
    assert "restore it into SQLite, then move it with copy_database." in sentence


def test_an_older_database_is_brought_up_and_a_newer_one_is_refused(
    console: DatabaseConsole, another: Callable[[], DatabaseConsole], tmp_path: Path
) -> None:
    newest = console.rows(
        "SELECT name FROM django_migrations WHERE app = 'messaging' ORDER BY name DESC LIMIT 2"
    )
    back = run("migrate", "messaging", str(newest[1][0]), "--verbosity", "0", env=console.env)
    assert back.returncode == 0, back.stderr
    file = tmp_path / "older.tar"
    backup(console, file)
    here = another()
    restore(here, file)
    assert here.count("django_migrations", f"name = '{newest[0][0]}'") == 1
    console.rows(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('messaging', '9', now()) "
        "RETURNING 1"
    )
    backup(console, tmp_path / "newer.tar")
    sentence = refusal(another(), "restore", str(tmp_path / "newer.tar"))
    assert "is older: install that release or a newer one." in sentence


def test_the_password_is_on_no_command_line(console: DatabaseConsole, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    real = shutil.which("pg_dump")
    (programs / "pg_dump").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/said\nexec {real} "$@"\n'
    )
    (programs / "pg_dump").chmod(0o755)
    console.env["PATH"] = f"{programs}:{console.env['PATH']}"
    url = console.env["DATABASE_URL"]
    console.env["DATABASE_URL"] = url.replace("postgres@", "postgres:hush-hush@")
    said = backup(console, tmp_path / "backup.tar").stdout
    with suppress(FileNotFoundError):
        assert "hush-hush" not in (tmp_path / "said").read_text() + said
    assert b"hush-hush" not in (tmp_path / "backup.tar").read_bytes()


def test_the_owner_of_the_database_needs_no_other_right(
    console: DatabaseConsole, another: Callable[[], DatabaseConsole], tmp_path: Path,
    postgres_server: str,
) -> None:  # fmt: skip
    """As docs/operations.md makes role and database."""
    file = tmp_path / "backup.tar"
    console.rows("INSERT INTO django_session VALUES ('k', 'd', now()) RETURNING 1")
    backup(console, file)
    here = another()
    database = here.env["DATABASE_URL"].rpartition("/")[2]
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE ROLE \"{database}\" LOGIN PASSWORD 'own'")
        try:
            server.execute(f'ALTER DATABASE "{database}" OWNER TO "{database}"')
            url = here.env["DATABASE_URL"].replace("postgres@", f"{database}:own@")
            here.env["DATABASE_URL"] = url
            restore(here, file)
            assert "kept in the schema before_restore_" in restore(here, file, "--replace").stdout
            backup(here, tmp_path / "again.tar")
            assert here.count("django_session") == 1
        finally:
            server.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
            server.execute(f'DROP ROLE "{database}"')
