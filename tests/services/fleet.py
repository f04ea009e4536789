"""Several pollers and web processes on one PostgreSQL and one Redis, as seen from outside."""

import contextlib
import http.client
import signal
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Self

import psycopg
from cryptography.fernet import Fernet

from sessions_app.simulator.serve import SimulatorServer
from tests.ports import free_port
from tests.processes.child import Child, environment, python, wait_for
from tests.processes.console import log_in
from tests.processes.site import Site

PER_S = 20
"""Messages a second, while people write."""
ADD_SESSIONS = """
from django.utils import timezone
from sessions_app.models import SessionState, Team
from sessions_app.sessions import services
team = Team.objects.get(name="Everyone")
for name, bot_id, owner_id, token, url in {bots!r}:
    session = services.create_session(name=name, team=team)
    session.bot_id, session.owner_id, session.token, session.base_url = bot_id, owner_id, token, url
    session.state, session.generation = SessionState.CONNECTED, 1
    session.bound_at = timezone.now()
    session.save()
"""
ADD_ADMINISTRATOR = """
from django.contrib.auth.models import Group
from sessions_app.models import Team, User
user = User.objects.create_superuser("ada", password="ada-pw")
user.groups.add(Group.objects.get(name="administrator"))
user.teams.add(Team.objects.get(name="Everyone"))
"""


class Fleet(Site):
    """Its processes end with the `with` block."""

    def __init__(
        self, folder: Path, wechat: SimulatorServer, *, database_url: str, redis_url: str
    ) -> None:
        self.folder = folder
        self.wechat = wechat
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for child in self.children:
            if child.is_running:
                child.kill()

    # Processes

    def launch(self) -> Child:
        """One more poller, without waiting for it."""
        child = Child(["poller"], env=self.env, log=self.folder / f"poller-{len(self.children)}")
        self.children.append(child)
        return child

    def start(self) -> Child:
        """One more poller, when it is heard."""
        [child] = self.start_some(1)
        return child

    def start_some(self, count: int) -> list[Child]:
        started = [self.launch() for _ in range(count)]
        wait_for(lambda: self._are_heard(started), "the pollers heard", within_s=40)
        return started

    def _are_heard(self, started: Collection[Child]) -> bool:
        for child in started:
            assert child.is_running, child.err
        return {child.process.pid for child in started} <= self.shares().keys()

    def start_web(self) -> "Web":
        web = Web(self)
        self.children.append(web.child)
        return web

    def add_administrator(self) -> None:
        python(ADD_ADMINISTRATOR, env=self.env)

    # Sessions

    def add_bots(self, count: int) -> list[str]:
        """Sessions with a token each, as after a scan. Returns the ids of their bots."""
        first = len(self.control.bots())
        bots = []
        for number in range(first, first + count):
            self.control.add_account(f"Phone {number}", f"phone-{number}@im.wechat")
            bots.append(self.control.bind(f"Phone {number}", notified=True))
        rows = [
            (
                f"Shop {first + place}",
                one["bot_id"],
                one["account_id"],
                one["token"],
                self.wechat.url,
            )
            for place, one in enumerate(bots)
        ]
        python(ADD_SESSIONS.format(bots=rows), env=self.env)
        return [str(one["bot_id"]) for one in bots]

    # What is committed

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def holders(self) -> set[int]:
        """Process ids of the workers that hold a session's lease."""
        return {pid for pid, _ in self._held()}

    def shares(self) -> dict[int, int]:
        """Process id → number of sessions leased to it, for each worker that is heard."""
        heard = dict.fromkeys((pid for (pid,) in self.rows(_HEARD)), 0)
        return heard | Counter(pid for pid, _ in self._held())

    def bots_of(self, child: Child) -> list[str]:
        return [bot for pid, bot in self._held() if pid == child.process.pid]

    def _held(self) -> list[tuple[int, str]]:
        return [(int(pid), str(bot)) for pid, bot in self.rows(_HELD)]

    def is_shared(self, children: Collection[Child], sessions: int) -> bool:
        """Whether these pollers hold all sessions, with one more or less at most."""
        shares = self.shares()
        counts = [shares.get(child.process.pid, 0) for child in children]
        is_fair = max(counts) - min(counts) <= 1
        return is_fair and sum(counts) == sessions and len(shares) == len(children)

    # Polls

    def all_polled(self, bots: Collection[str]) -> bool:
        by_bot = self.control.polls()["by_bot"]
        return all(by_bot[bot]["now"] == 1 for bot in bots)

    def most_at_once(self, bots: Collection[str]) -> int:
        """The most polls of one token that were ever open at the same time."""
        by_bot = self.control.polls()["by_bot"]
        return max(int(by_bot[bot]["highest"]) for bot in bots)

    def poll_totals(self, bots: Collection[str]) -> dict[str, int]:
        by_bot = self.control.polls()["by_bot"]
        return {bot: int(by_bot[bot]["total"]) for bot in bots}

    def polled_since(self, before: dict[str, int]) -> bool:
        now = self.poll_totals(before)
        return all(now[bot] > total for bot, total in before.items())

    # What came and went

    def lost(self, texts: Collection[str]) -> set[str]:
        return set(texts) - set(self.incoming())

    def twice(self) -> dict[str, int]:
        """Texts stored or sent more than once."""
        sent = [str(send["text"]) for send in self.control.sends()]
        stored = Counter(self.incoming())
        return {text: n for text, n in (stored + Counter(sent)).items() if n > 1}


_HEARD = "SELECT pid FROM sessions_app_workerbeat"
_HELD = (
    "SELECT b.pid, s.bot_id FROM sessions_app_workerbeat b"
    " JOIN sessions_app_session s ON s.lease_owner = b.worker_id"
)


class Web:
    """A web process alone, without a worker."""

    def __init__(self, fleet: Fleet) -> None:
        self.port = free_port()
        env = {**fleet.env, "PORT": str(self.port), "PUBLIC_URL": f"http://localhost:{self.port}"}
        self.child = Child(
            ["-p", str(self.port), "weilink_site.asgi:application"],
            program=["-m", "daphne"],
            env=env,
            log=fleet.folder / f"web-{self.port}",
        )

    def is_ready(self) -> bool:
        """Whether it answers; its worker is another process."""
        assert self.child.is_running, self.child.err
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def log_in(self) -> str:
        """The cookie header of the administrator."""
        return log_in(self.port, "ada", "ada-pw")


class Writing:
    """People who write texts "m 0", "m 1" … at their own pace, until told to stop."""

    def __init__(self, fleet: Fleet, bots: list[str], *, people: int = 10) -> None:
        self.texts: list[str] = []
        self._fleet, self._bots, self._people = fleet, bots, people
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        while not self._stop.wait(1 / PER_S):
            number = len(self.texts)
            self._fleet.control.write(
                self._bots[number % len(self._bots)],
                f"guest-{number % self._people}@im.wechat",
                f"m {number}",
            )
            self.texts.append(f"m {number}")

    def until(self, count: int) -> None:
        """Wait until so many were written."""
        wait_for(lambda: len(self.texts) >= count, "people write on", within_s=60)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


@contextlib.contextmanager
def writing(fleet: Fleet, bots: list[str]) -> Iterator[Writing]:
    """20 messages a second while the block runs."""
    people = Writing(fleet, bots)
    people._thread.start()
    try:
        yield people
    finally:
        people.stop()


@contextlib.contextmanager
def frozen(child: Child) -> Iterator[None]:
    """The process stands still while the block runs, and knows nothing of it."""
    child.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.process.send_signal(signal.SIGCONT)
