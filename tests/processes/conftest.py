"""A prepared data folder that every console of these tests starts from, and the consoles."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import environment, python
from tests.processes.console import Console

PREPARE = "from weilink_site.first_run import prepare_data; prepare_data()"

MakeConsole = Callable[..., Console]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database with the static files gathered: done once, it takes a while."""
    folder = tmp_path_factory.mktemp("prepared")
    env = environment(
        folder / "home",
        DATABASE_URL=f"sqlite:///{folder / 'console.sqlite3'}",
        SECRET_KEY="only-to-prepare",
        WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
    )
    python(PREPARE, env=env)
    return folder


@pytest.fixture
def wechat(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    """The simulated WeChat, in this process: it lives on when the console is killed."""
    options: dict[str, Any] = getattr(request, "param", {})
    with SimulatorServer(**{"hold_s": 2.0, **options}) as server:
        yield server


@pytest.fixture
def console(tmp_path: Path, prepared: Path, wechat: SimulatorServer) -> Iterator[Console]:
    """A console that is not started yet."""
    shutil.copy2(prepared / "console.sqlite3", tmp_path)
    (tmp_path / "gathered_static").symlink_to(prepared / "gathered_static")
    keys = {
        "SECRET_KEY": "only-for-this-test",
        "WEILINK_CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    }
    made = Console(tmp_path, wechat, keys)
    yield made
    made.close()
