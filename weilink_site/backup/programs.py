"""PostgreSQL's own programs: pg_dump, pg_restore and psql.

The password is handed over in the environment, never on a command line that others can read.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo

from weilink_site.backup.refused import Refused, of_program

_NOT_LIBPQ = {"cursor_factory", "context", "prepare_threshold", "pool", "password"}
LONGEST_WORDS = 64 * 1024


def connection_parameters() -> dict[str, Any]:
    """Those of libpq for the default database, with the password."""
    given = connection.get_connection_params()
    return {key: value for key, value in given.items() if key not in _NOT_LIBPQ - {"password"}}


def own_connection() -> psycopg.Connection[Any]:
    """Outside Django's pool, and without its limit on idle transactions."""
    made = psycopg.connect(**connection_parameters(), autocommit=True)
    made.execute("SET idle_in_transaction_session_timeout = 0")
    return made


def require(name: str, *, server: int) -> None:
    """Raises Refused if the program is missing or older than the server (a major version)."""
    path = shutil.which(name)
    if path is None:
        raise Refused(
            f"{name} is not installed: install PostgreSQL's client programs of version {server} or "
            f"newer (on Debian postgresql-client-{server})."
        )
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [path, "--version"], capture_output=True, text=True, check=False
    )
    said = done.stdout
    found = re.search(r"\) (\d+)", said)
    if found is None or int(found[1]) < server:
        raise Refused(
            f"{name} is older than PostgreSQL {server} ({said.strip() or 'it names no version'}): "
            f"install the client programs of version {server} or newer."
        )


def _address(given: dict[str, Any]) -> str:
    return make_conninfo(
        "", **{key: value for key, value in given.items() if key not in _NOT_LIBPQ}
    )


def _environment(given: dict[str, Any]) -> dict[str, str]:
    env = {**os.environ, "LC_MESSAGES": "C", "LC_ALL": "C"}
    return env | ({"PGPASSWORD": given["password"]} if given.get("password") else {})


def dump(target: Path, schema: str, tables: list[str], *, snapshot: str) -> None:
    """These tables, as they are in an exported snapshot, in pg_dump's custom format."""
    given = connection_parameters()
    done = subprocess.run(  # noqa: S603 - without a shell
        [  # noqa: S607 - found on PATH
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password",
            f"--snapshot={snapshot}", f"--file={target}", f"--dbname={_address(given)}",
            *(f"--table={_pattern(schema)}.{_pattern(table)}" for table in tables),
        ],
        env=_environment(given), stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise of_program("pg_dump", done.stderr)


def _pattern(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def load(dump_file: Path, *, before: str, after: str) -> None:
    """Run `before`, the dump and `after` in one transaction. After any failure nothing is there.

    The script ends with COMMIT only when pg_restore has come to its end.
    """
    given = connection_parameters()
    env = _environment(given)
    reading = ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dump_file)]
    writing = [
        "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
        "--output=/dev/null", f"--dbname={_address(given)}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said_reading, tempfile.TemporaryFile() as said_writing:
        psql = subprocess.Popen(  # noqa: S603 - without a shell
            writing, env=env, stdin=subprocess.PIPE, stdout=said_writing, stderr=said_writing
        )
        assert psql.stdin is not None
        restoring: subprocess.Popen[bytes] | None = None
        try:
            psql.stdin.write(f"BEGIN;\n{before}\n".encode())
            psql.stdin.flush()
            restoring = subprocess.Popen(  # noqa: S603 - without a shell
                reading, env=env, stdin=subprocess.DEVNULL, stdout=psql.stdin, stderr=said_reading
            )
            if restoring.wait() == 0:
                psql.stdin.write(f"\n{after}\nCOMMIT;\n".encode())
        except BrokenPipeError:
            pass  # psql has ended; it says why
        finally:
            if restoring is not None and restoring.poll() is None:
                restoring.kill()
                restoring.wait()
            _close(psql.stdin)
            psql.wait()
        if psql.returncode:
            raise of_program("psql", _words(said_writing))
        if restoring is None or restoring.returncode:
            raise of_program("pg_restore", _words(said_reading))


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def _words(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(LONGEST_WORDS)
