"""What most tests need: the cast, a simulated WeChat, a worker on it, and waiting for things."""

import asyncio
import math
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import translation

from messaging.api import limits as api_limits
from messaging.worker.pauses import Pauses
from messaging.worker.worker import Worker
from sessions_app.installation import standing
from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, Session, Team, User
from sessions_app.people.roles import Role
from sessions_app.realtime import streams
from sessions_app.recording import guard
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.serve import SimulatorServer
from sessions_app.team_settings import limits
from tests import random_seeds
from tests.long_tests import is_long
from tests.migrated import migrated_file
from weilink_site.version import wire_identity

PROCESS_GROUPS = 2
FIRST_SERVICES = frozenset(
    {
        "test_containers", "test_operations",  # both use one installed wheel
        "test_given_up", "test_live_through_redis", "test_on_postgresql",
    }
)  # fmt: skip
"""The tests with PostgreSQL and Redis in the first of two groups that take equally long."""


random_seeds.register_profile()


@pytest.hookimpl(tryfirst=True)  # before hypothesis reads its option
def pytest_configure(config: pytest.Config) -> None:
    random_seeds.choose(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seed = random_seeds.seed()
    terminalreporter.write_line(
        f"Random tests repeat with {random_seeds.REPEAT}={seed} and --hypothesis-seed={seed}."
    )


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start processes of their own run in few groups, so that few of them run at once.

    The groups come first, since they take longest; but a test that empties the tests' own database
    afterwards stays where pytest-django puts it, behind those that need what migrations made. On
    PostgreSQL only tests with a database run.
    """
    if "TEST_TEMPLATE" in os.environ:
        items[:] = [item for item in items if _has_a_database(item)]
    files = sorted({item.path for item in items if item.path.parent.name == "processes"})
    for item in items:
        if is_long(item.path):
            item.add_marker(pytest.mark.long)
        if "transactional_db" in getattr(item, "fixturenames", ()):
            continue
        if item.path.parent.name == "services":
            group = f"services {int(item.path.stem not in FIRST_SERVICES)}"
            item.add_marker(pytest.mark.xdist_group(group))
        elif item.path in files:
            number = files.index(item.path) % PROCESS_GROUPS
            item.add_marker(pytest.mark.xdist_group(f"processes {number}"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def _has_a_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or "db" in fixtures


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy; nobody opens the file itself."""
    return migrated_file(tmp_path_factory)


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> bool:
    """On SQLite the tests' database is a copy of the migrated one, which is then kept as it is."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return False
    database["TEST"]["MIGRATE"] = False
    shutil.copyfile(request.getfixturevalue("migrated"), database["TEST"]["NAME"])
    return True


@pytest.fixture(autouse=True, scope="session")
def _flush_empties_the_audit_log() -> Iterator[None]:
    """Some tests end with an empty database; on SQLite that is a DELETE, which triggers refuse."""
    with pytest.MonkeyPatch.context() as patch:
        flush = BaseDatabaseOperations.execute_sql_flush

        def flush_all(operations: BaseDatabaseOperations, sql_list: Any) -> None:
            with guard.lifted(operations.connection):
                flush(operations, sql_list)

        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_all)
        yield


@dataclass(frozen=True)
class Cast:
    """The same people before every door. `agent_elsewhere` is in another team."""

    administrator: User
    operator: User
    supervisor: User
    agent: User
    agent_elsewhere: User
    viewer: User
    outsider: User
    team: Team
    other_team: Team


def make_user(name: str, role: Role | None = None, *teams: Team) -> User:
    user = User.objects.create_user(username=name, password=f"{name}-pw")
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    user.teams.set(teams)
    return user


@pytest.fixture
def cast(db: None) -> Cast:
    everyone, other = Team.objects.get(name="Everyone"), Team.objects.create(name="Other team")
    return Cast(
        administrator=make_user("ada", Role.ADMINISTRATOR, everyone),
        operator=make_user("otto", Role.OPERATOR, everyone),
        supervisor=make_user("sue", Role.SUPERVISOR, everyone),
        agent=make_user("wei", Role.AGENT, everyone),
        agent_elsewhere=make_user("eve", Role.AGENT, other),
        viewer=make_user("vic", Role.VIEWER, everyone),
        outsider=make_user("out"),
        team=everyone,
        other_team=other,
    )


@pytest.fixture(autouse=True)
def _no_loop_left() -> Iterator[None]:
    yield
    streams.attach_loop(None)


@pytest.fixture(autouse=True)
def _no_connection_left() -> Iterator[None]:
    """`aget` and its like run in one thread of asgiref, whose connection would stay open.

    A database server would then refuse to drop the tests' database.
    """
    yield
    if connection.vendor == "postgresql":
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def _not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page asks whether the installation is held; a test that holds it drops this answer."""
    monkeypatch.setattr(standing, "_kept", (math.inf, standing.Standing()))


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The team's settings as a new console has them, never read anew; called, with changes."""

    def keep(**changes: int) -> None:
        values = replace(limits.TeamSettings(), **changes)
        monkeypatch.setattr(limits, "_kept", (math.inf, values))

    keep()
    return keep


@pytest.fixture
def no_waiting_for_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API answers at once, without the code that no worker fetches here."""
    monkeypatch.setattr("messaging.api.endpoints.logins.FIRST_CODE_S", 0.0)


@pytest.fixture(autouse=True)
def _no_requests_counted() -> Iterator[None]:
    """A token of the test before may have had the same number."""
    yield
    cache.clear()
    api_limits.alone.clear()


@pytest.fixture(autouse=True)
def _no_language_left() -> Iterator[None]:
    """A request made in Chinese leaves its thread so; the next test reads English."""
    yield
    translation.deactivate()


@pytest.fixture
def simulator(settings: Any) -> Iterator[SimulatorServer]:
    """A simulated WeChat on loopback that holds polls for a second only."""
    with SimulatorServer() as server:
        server.control.switches(hold_s=1.0)
        settings.WEILINK_ILINK_URL = server.url
        settings.WEILINK_CDN_URL = server.cdn_url
        yield server


Check = Callable[[], Any]


async def until(check: Check, what: str = "", within_s: float = 30.0) -> Any:
    """Wait for a database or simulator fact; the check runs in a thread of its own."""
    deadline = time.monotonic() + within_s
    while True:
        found = await in_thread(check)()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what or check}")
        await asyncio.sleep(0.02)


@dataclass
class Running:
    """A worker on a simulated WeChat, as a test drives it."""

    worker: Worker
    control: Control
    team_id: int
    bots: dict[str, str] = field(default_factory=dict)

    async def scan(self, session_name: str, account: str = "Lin") -> Session:
        """Log a session in as a person would: ask for a code, scan it, confirm."""
        attempt: LoginAttempt = await in_thread(self._start)(session_name)
        handle = await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).qrcode, "a code")
        self.control.scan(handle, account)
        self.control.confirm(handle)
        session: Session = await until(
            lambda: Session.objects.filter(name=session_name, state="connected").first(),
            f"{session_name} connected",
        )
        self.bots[session_name] = session.bot_id
        return session

    def _start(self, session_name: str) -> LoginAttempt:
        team = Team.objects.get(pk=self.team_id)
        session = Session.objects.filter(name=session_name).first()
        return attempts.start_login(
            user=None, session_name=session_name, team=team, session=session, force=True
        )


def in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Off the loop; the thread's database connection is closed: a server would count it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    return sync_to_async(call, thread_sensitive=False)


@pytest.fixture
def seeded(transactional_db: None) -> Team:
    """What the first migration makes, again: tests with real commits empty every table."""
    for role in Role:
        Group.objects.get_or_create(name=role)
    return Team.objects.get_or_create(name="Everyone")[0]


QUICK = Pauses(
    sweep_s=0.2,
    catch_up_s=0.0,
    beat_s=0.2,
    away_retry_s=0.05,
    doubt_s=0.05,
    ask_again_s=0.1,
    write_heard_s=0.1,
    retry_s=0.1,
    retry_later_s=0.2,
    look_back_s=0.2,
    login_poll_s=0.05,
    typing_stop_pauses=(timedelta(seconds=0.1),) * 5,
    folder_look_s=0.05,
    folder_watch_again_s=0.1,
    folder_free_for_s=0.0,
)
"""What a worker waits for nobody sits through, except where a test is about it."""


@pytest.fixture
def pauses() -> Pauses:
    """The pauses of the worker that a test is given; a test about one hands in its own."""
    return QUICK


@pytest.fixture
async def running(
    seeded: Team, simulator: SimulatorServer, pauses: Pauses
) -> AsyncIterator[Running]:
    """Sessions in the database: WEILINK_STORE=database."""
    async with working(seeded, simulator, settings.DATA_DIR, pauses) as started:
        yield started


@pytest.fixture
def shared_folder(settings: Any, tmp_path: Path) -> Path:
    """WEILINK_STORE=files, with a session folder of the test's own, not made yet."""
    settings.WEILINK_STORE = "files"
    settings.WEILINK_BASE_PATH = tmp_path / "weilink"
    return tmp_path / "weilink"


@pytest.fixture
async def running_on_folder(
    seeded: Team, simulator: SimulatorServer, shared_folder: Path, pauses: Pauses
) -> AsyncIterator[Running]:
    """The same on a shared folder whose poll lock is taken as soon as it is free."""
    async with working(seeded, simulator, shared_folder.parent, pauses) as started:
        yield started


@pytest.fixture(params=["database", "files"])
def either_store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Path:
    """Each WEILINK_STORE in turn; the folder that only one of them may use, not made yet."""
    settings.WEILINK_STORE = request.param
    settings.WEILINK_BASE_PATH = tmp_path / "weilink"
    return tmp_path / "weilink"


@pytest.fixture
async def running_on_either(
    seeded: Team, simulator: SimulatorServer, either_store: Path, pauses: Pauses
) -> AsyncIterator[Running]:
    """A worker whose story must be the same over both stores."""
    async with working(seeded, simulator, either_store.parent, pauses) as started:
        yield started
    assert either_store.exists() == (settings.WEILINK_STORE == "files")


@asynccontextmanager
async def working(
    team: Team, simulator: SimulatorServer, data_dir: Path, pauses: Pauses = QUICK
) -> AsyncIterator[Running]:
    worker = Worker(identity=wire_identity(), data_dir=data_dir, alone=True, pauses=pauses)
    await worker.start()
    yield Running(worker, simulator.control, team.pk)
    await worker.stop()
    await sync_to_async(connections.close_all)()  # of the thread of `aget` and its like
