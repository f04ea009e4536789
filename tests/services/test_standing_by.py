"""`manage.py poller` on one shared folder: one receives, the others stand by and take over."""

import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sessions_app.folder.store import SessionFolder
from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import Child, environment, wait_for
from tests.processes.site import Site

TAKEN_OVER_WITHIN_S = 5.0
End = Callable[[Child], Any]


class Fellows(Site):
    """Pollers on one SQLite file, one Redis and one session folder."""

    def __init__(self, folder: Path, wechat: SimulatorServer, redis_url: str) -> None:
        self.folder = folder
        self.control = wechat.control
        self.database = folder / "console.sqlite3"
        self.base = folder / "weilink"
        self.env = environment(
            folder / "home",
            DATABASE_URL=f"sqlite:///{self.database}",
            REDIS_URL=redis_url,
            WEILINK_ILINK_URL=wechat.url,
            WEILINK_CDN_URL=wechat.cdn_url,
            WEILINK_BASE_PATH=str(self.base),
            WEILINK_MEDIA_ROOT=str(folder / "media"),
            SECRET_KEY="only-for-this-test",
            WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        )
        self.children: list[Child] = []

    def start(self) -> Child:
        child = Child(["poller"], env=self.env, log=self.folder / f"poller-{len(self.children)}")
        self.children.append(child)
        heard = f"pid = {child.process.pid}"

        def is_heard() -> bool:
            assert child.is_running, child.err
            return self.count("sessions_app_workerbeat", heard) > 0

        wait_for(is_heard, "the poller heard", within_s=30)
        return child

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def receiving(self) -> int:
        """The process that holds the sessions' leases; 0 while there is none, or several."""
        query = (
            "SELECT DISTINCT pid FROM sessions_app_workerbeat b"
            " JOIN sessions_app_session s ON s.lease_owner = b.worker_id"
        )
        pids = [row[0] for row in self.rows(query)]
        return int(pids[0]) if len(pids) == 1 else 0

    def polls_now(self, bots: list[str]) -> int:
        return sum(int(self.control.bot(bot)["polls"]["now"]) for bot in bots)


@pytest.fixture
def wechat() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=2.0, cursor_mode="replay") as server:
        yield server


@pytest.fixture
def fellows(
    tmp_path: Path, migrated: Path, wechat: SimulatorServer, redis_url: str
) -> Iterator[Fellows]:
    made = Fellows(tmp_path, wechat, redis_url)
    shutil.copyfile(migrated, made.database)
    yield made
    for child in made.children:
        if child.is_running:
            child.kill()


@pytest.mark.services
@pytest.mark.parametrize("end", [Child.kill, Child.terminate], ids=["killed", "stopped"])
def test_another_poller_receives_within_five_seconds(fellows: Fellows, end: End) -> None:
    both = [fellows.start(), fellows.start()]
    bots = fellows.bind("Lin", "Guo")
    fellows.control.write_bulk(bots, count=20, people=5, prefix="m", first=0)
    wait_for(lambda: len(fellows.incoming()) == 20, "the first messages stored")
    [first] = [child for child in both if child.process.pid == fellows.receiving()]
    [second] = [child for child in both if child is not first]

    end(first)
    ended_at = time.monotonic()
    fellows.control.write_bulk(bots, count=20, people=5, prefix="m", first=20)
    wait_for(
        lambda: fellows.receiving() == second.process.pid and len(fellows.incoming()) == 40,
        "the other one receives",
        within_s=TAKEN_OVER_WITHIN_S,
    )
    print(f"taken over after {time.monotonic() - ended_at:.2f} s")

    assert Counter(fellows.incoming()) == Counter(f"m {number}" for number in range(40))
    by_bot = fellows.control.polls()["by_bot"]
    assert {by_bot[bot]["highest"] for bot in bots} == {1}
    assert second.terminate() == 0
    assert "Traceback" not in second.err


@pytest.mark.services
def test_a_poller_that_stands_still_is_said_and_goes_on_when_it_is_continued(
    fellows: Fellows,
) -> None:
    both = [fellows.start(), fellows.start()]
    bots = fellows.bind("Lin")
    [first] = [child for child in both if child.process.pid == fellows.receiving()]
    receiver = "SELECT receiver FROM sessions_app_sharedfolder"

    first.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: fellows.rows(receiver) == [("frozen",)], "it is said", within_s=15)
    finally:
        first.process.send_signal(signal.SIGCONT)
    wait_for(lambda: fellows.rows(receiver) == [("console",)], "taken back")
    fellows.control.write_bulk(bots, count=1, people=1, prefix="m", first=0)
    wait_for(lambda: fellows.incoming() == ["m 0"], "received again")
    assert [child.terminate() for child in both] == [0, 0]


@pytest.mark.services
def test_while_another_program_holds_the_lock_none_of_them_receives(fellows: Fellows) -> None:
    only = fellows.start()
    bots = fellows.bind("Lin")
    assert only.terminate() == 0
    held = SessionFolder(fellows.base).poll_lock.try_take()
    assert held is not None
    both = [fellows.start(), fellows.start()]
    fellows.control.write_bulk(bots, count=1, people=1, prefix="m", first=0)
    state = "SELECT state FROM sessions_app_session"
    wait_for(lambda: fellows.rows(state) == [("polled_elsewhere",)], "it is said")
    assert fellows.polls_now(bots) == 0
    held.release()
    wait_for(lambda: fellows.incoming() == ["m 0"], "taken over")
    assert [child.terminate() for child in both] == [0, 0]
