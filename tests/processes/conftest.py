"""A prepared data folder that every console of these tests starts from, and the consoles."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.beside import SharedConsole
from tests.processes.child import environment, python
from tests.processes.console import Console
from tests.sessions_app.sdk.peer import Peer

PREPARE = "from weilink_site.first_run import prepare_data; prepare_data()"

MakeConsole = Callable[..., Console]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """An empty, migrated database with the static files gathered: done once, it takes a while."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copyfile(migrated, folder / "console.sqlite3")
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


@pytest.fixture
def shared(console: Console) -> SharedConsole:
    """The same console with other programs in its folder; not started yet."""
    return SharedConsole(console)


@pytest.fixture
def start_peer(shared: SharedConsole) -> Iterator[Callable[..., Peer]]:
    """Starts the public SDK on the console's folder, as often as wanted."""
    peers: list[Peer] = []

    def start(**options: Any) -> Peer:
        peers.append(Peer(shared.base, wechat_url=shared.console.simulator.url, **options))
        return peers[-1]

    yield start
    for peer in peers:
        peer.kill()
