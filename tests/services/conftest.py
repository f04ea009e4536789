"""PostgreSQL and Redis where they answer: a database of the test's own, dropped at the end.

Where they do not answer the tests say so and are skipped; with REQUIRE_SERVICES=1 they fail.
"""

import os
import secrets
import shutil
from collections.abc import Iterator

import psycopg
import pytest
import redis

from tests.api.redis_server import running_redis
from tests.migrated import POSTGRES, migrate, migrated_on_postgresql, named
from tests.processes.installed import Installed, build_wheel
from tests.services.own_postgres import OwnPostgres, running_postgres

MIGRATED = "migrated"
REDIS = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379/9"


def _missing(service: str, variable: str, error: Exception) -> None:
    words = f"{service} does not answer ({variable}): {type(error).__name__}"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a server where databases may be made."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        _missing("PostgreSQL", "TEST_DATABASE_URL", error)
    return POSTGRES


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy: the migrations take many seconds."""
    with migrated_on_postgresql(postgres_server) as name:
        yield name


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """A new database, migrated and otherwise empty."""
    name = f"weilink_test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
        yield named(postgres_server, name)
        for each in (name, f"test_{name}"):
            connection.execute(f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)')


@pytest.fixture(scope="session")
def _own_server() -> Iterator[OwnPostgres]:
    with running_postgres() as running:
        migrate(running.add_database(MIGRATED))
        yield running


@pytest.fixture
def server(_own_server: OwnPostgres) -> OwnPostgres:
    """A server of our own, with a new database; it runs, whatever the test before did to it."""
    if _own_server.server is None:
        _own_server.start()
    _own_server.add_database(f"test_{secrets.token_hex(6)}", template=MIGRATED)
    return _own_server


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed as docs/operations.md says, with the programs that it brings."""
    folder = tmp_path_factory.mktemp("installed")
    made = Installed(folder)
    made.install(build_wheel(folder))
    daphne = made.bin / "daphne"
    daphne.write_text(
        f"#!{made.bin}/python\nfrom daphne.cli import CommandLineInterface\n"
        "CommandLineInterface.entrypoint()\n"
    )
    daphne.chmod(0o755)
    return made


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this group's own where the program is installed: messages of other tests, and
    who listens for them, are not seen there. Else the server that runs."""
    if shutil.which("redis-server"):
        with running_redis(tmp_path_factory.mktemp("redis")) as url:
            yield url
        return
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.RedisError as error:
        _missing("Redis", "TEST_REDIS_URL", error)
    finally:
        client.close()
    yield REDIS
