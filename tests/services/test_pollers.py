"""`manage.py poller` with sessions in the database: each bot is polled by one of many at a time."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import Child, environment, run, wait_for
from tests.processes.site import Site

TAKEN_OVER_WITHIN_S = 15.0


class Pollers(Site):
    """Poller processes on a PostgreSQL database and a Redis of the test's own."""

    def __init__(
        self, folder: Path, wechat: SimulatorServer, *, database_url: str, redis_url: str
    ) -> None:
        self.folder = folder
        self.control = wechat.control
        self.database_url = database_url
        self.env = environment(
            folder / "home",
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            WEILINK_ILINK_URL=wechat.url,
            WEILINK_CDN_URL=wechat.cdn_url,
            WEILINK_STORE="database",
            WEILINK_BASE_PATH=str(folder / "weilink"),
            WEILINK_MEDIA_ROOT=str(folder / "media"),
            SECRET_KEY="only-for-this-test",
            WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        )
        self.children: list[Child] = []

    def start(self) -> Child:
        """One more poller, when it is heard."""
        heard = self.count("sessions_app_workerbeat")
        child = Child(["poller"], env=self.env, log=self.folder / f"poller-{len(self.children)}")
        self.children.append(child)

        def is_heard() -> bool:
            assert child.is_running, child.err
            return self.count("sessions_app_workerbeat") > heard

        wait_for(is_heard, "the poller heard", within_s=30)
        return child

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def holders(self) -> set[int]:
        """Process ids of the workers that hold a session's lease."""
        query = (
            "SELECT pid FROM sessions_app_workerbeat b"
            " JOIN sessions_app_session s ON s.lease_owner = b.worker_id"
        )
        return {row[0] for row in self.rows(query)}


@pytest.fixture
def wechat() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=2.0) as server:
        yield server


@pytest.fixture
def pollers(
    tmp_path: Path, wechat: SimulatorServer, postgres_url: str, redis_url: str
) -> Iterator[Pollers]:
    made = Pollers(tmp_path, wechat, database_url=postgres_url, redis_url=redis_url)
    done = run("migrate", "--verbosity", "0", env=made.env)
    assert done.returncode == 0, done.stderr
    yield made
    for child in made.children:
        if child.is_running:
            child.kill()


@pytest.mark.services
def test_when_one_is_killed_the_other_takes_over_and_nothing_is_lost_or_twice(
    pollers: Pollers,
) -> None:
    both = [pollers.start(), pollers.start()]
    bots = pollers.bind("Lin", "Guo")
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=0)
    wait_for(lambda: len(pollers.incoming()) == 20, "the first messages stored")

    holder = pollers.holders().pop()
    [killed] = [child for child in both if child.process.pid == holder]
    [other] = [child for child in both if child is not killed]
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=20)
    killed.kill()
    pollers.control.write_bulk(bots, count=20, people=5, prefix="m", first=40)
    wait_for(lambda: len(pollers.incoming()) == 60, "all stored", within_s=TAKEN_OVER_WITHIN_S)

    assert Counter(pollers.incoming()) == Counter(f"m {number}" for number in range(60))
    assert pollers.holders() == {other.process.pid}
    by_bot = pollers.control.polls()["by_bot"]
    assert {by_bot[bot]["highest"] for bot in bots} == {1}
    assert other.terminate() == 0


@pytest.mark.slow
@pytest.mark.services
def test_two_pollers_send_each_reply_once_and_stop_in_order(pollers: Pollers) -> None:
    both = [pollers.start(), pollers.start()]
    [bot] = pollers.bind("Lin")
    people = [f"guest-{number}@im.wechat" for number in range(10)]
    for user_id in people:
        pollers.control.write(bot, user_id, "a question")
    wait_for(lambda: len(pollers.incoming()) == 10, "the questions stored")
    pollers.queue_replies((user_id, f"{n} to {user_id}") for n in range(3) for user_id in people)

    wait_for(lambda: set(pollers.fates().values()) == {("sent", "")}, "all sent")
    texts = Counter(send["text"] for send in pollers.control.sends(bot_id=bot))
    assert (len(texts), max(texts.values())) == (30, 1)
    for user_id in people:
        assert pollers.control.seen(bot, user_id) == [f"{n} to {user_id}" for n in range(3)]
    for child in both:
        assert child.terminate() == 0
        assert child.out == ""
        assert "Traceback" not in child.err
        assert "pool" not in child.err
    assert pollers.count("sessions_app_workerbeat") == 0
