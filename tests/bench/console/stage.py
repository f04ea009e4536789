"""A console as a process, on data of its own, bound to the fake WeChat before it starts."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from cryptography.fernet import Fernet

from tests.bench.page.client import Arrivals, PageClient
from tests.bench.page.http import Answer, Connection
from tests.bench.processes import Process, Use, run, until, use_of
from tests.bench.wechat.bots import bot_id_of, token_of
from tests.bench.wechat.control import FakeWeChat
from tests.ports import free_port
from tests.processes.child import environment

ROWS = "tests.bench.console.rows"
START_S = 180.0


@dataclass(frozen=True)
class Servers:
    """Where PostgreSQL and Redis answer; empty: the console runs on SQLite alone."""

    postgresql: str = ""
    redis: str = ""


class Stage:
    """The data of one console, and the console itself: `async with stage.running():`.

    `prepared`: a folder with a migrated SQLite database and the gathered static files.
    """

    def __init__(
        self,
        folder: Path,
        prepared: Path,
        wechat: FakeWeChat,
        *,
        servers: Servers | None = None,
        store: str = "database",
    ) -> None:
        self.folder, self._prepared, self.wechat = folder, prepared, wechat
        self.servers = servers or Servers()
        self.port = free_port()
        self.cookies: list[str] = []
        self.token = ""
        self.stopped_in_s = 0.0
        self.database = folder / "console.sqlite3"
        self._name = f"weilink_bench_{os.getpid()}_{secrets.token_hex(3)}"
        self._env = environment(
            folder / "home",
            DATABASE_URL=self.database_url,
            REDIS_URL=self.servers.redis,
            WEILINK_ILINK_URL=wechat.url,
            WEILINK_CDN_URL=f"{wechat.url}/c2c",
            WEILINK_BASE_PATH=str(folder / "weilink"),
            WEILINK_MEDIA_ROOT=str(folder / "media"),
            WEILINK_STORE=store,
            PORT=str(self.port),
            SECRET_KEY=secrets.token_hex(),
            WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        )
        self.console: Process | None = None

    @property
    def database_url(self) -> str:
        if self.servers.postgresql:
            return f"{self.servers.postgresql.rstrip('/')}/{self._name}"
        return f"sqlite:///{self.database}"

    async def fill(self, *, sessions: int, agents: int = 20, keep: bool = False) -> None:
        """Make the database with these sessions bound. `keep`: a database is there already."""
        if self.servers.postgresql and not keep:
            self.create_database()
        elif not keep:
            shutil.copy2(self._prepared / "console.sqlite3", self.database)
        static = self.folder / "gathered_static"
        static.unlink(missing_ok=True)  # an earlier run's, in a folder that is kept
        static.symlink_to(self._prepared / "gathered_static")
        numbers = ("--sessions", str(sessions), "--agents", str(agents))
        command = ("-m", ROWS, *numbers, "--url", self.wechat.url)
        said = await asyncio.to_thread(run, *command, env=self._env)
        found = json.loads(said.strip().rpartition("\n")[2])
        self.cookies, self.token = found["cookies"], found["token"]

    def create_database(self) -> None:
        self._on_server(f'CREATE DATABASE "{self._name}"')

    def fill_folder(self, numbers: range) -> None:
        """Sessions in the shared folder, as the `weilink` SDK leaves them."""
        for number in numbers:
            folder = self.folder / "weilink" / f"shop{number:03d}"
            folder.mkdir(parents=True)
            token = {
                "bot_id": bot_id_of(number), "base_url": self.wechat.url,
                "token": token_of(number), "user_id": f"owner{number}@im.wechat", "cursor": "",
                "created_at": time.time(),
            }  # fmt: skip
            draft = folder / ".token.json"
            draft.write_text(json.dumps(token))
            draft.rename(folder / "token.json")

    def launch(self, *command: str) -> Process:
        """`manage.py …` on this data."""
        log = self.folder / f"{command[0]}.log"
        return Process.python("manage.py", *command, log=log, env=self._env)

    def start(self) -> Process:
        self.console = self.launch("console", "--port", str(self.port))
        return self.console

    async def answers(self, path: str, *, within_s: float = START_S) -> float:
        """When the console answered this page with 200 for the first time."""
        assert self.console is not None
        console, line = self.console, Connection(self.port)

        async def check() -> float:
            console.check()
            answer = await line.get(path)
            return time.monotonic() if answer.status == 200 else 0.0

        try:
            return await until(check, f"{path} answered", within_s=within_s, every_s=0.02)
        finally:
            await line.close()

    async def ready(self) -> None:
        """Started, and all its sessions polled."""
        await self.wechat.do("forget")
        self.start()
        await self.answers("/readyz")
        if self.wechat.bots:
            await self.wechat.all_polled(within_s=START_S)

    def use(self) -> Use:
        assert self.console is not None
        self.console.check()
        return use_of(self.console.pid)

    async def api(self, method: str, path: str, value: object = None) -> Answer:
        """One call of the HTTP API on a connection of its own."""
        line = Connection(self.port, {"Authorization": f"Bearer {self.token}"})
        try:
            if method == "GET":
                return await line.get(f"/api/v1/{path}")
            return await line.post_json(f"/api/v1/{path}", value)
        finally:
            await line.close()

    async def open_pages(
        self, count: int, arrivals: Arrivals, path: str = "/inbox/"
    ) -> list[PageClient]:
        """So many pages, of all agents in turn, eight loading at a time."""
        pages = [
            PageClient(self.port, self.cookies[number % len(self.cookies)], arrivals, path)
            for number in range(count)
        ]
        loading = asyncio.Semaphore(8)

        async def load(page: PageClient) -> None:
            async with loading:
                await page.open()

        await asyncio.gather(*(load(page) for page in pages))

        async def check() -> bool:
            return all(page.is_open for page in pages)

        await until(check, "all pages open", within_s=60)
        return pages

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A query on the console's data, beside the console."""
        if self.servers.postgresql:
            with psycopg.connect(self.database_url) as server:
                return server.execute(query.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as file:
            return file.execute(query).fetchall()

    def _on_server(self, statement: str) -> None:
        parts = urlsplit(self.servers.postgresql)
        with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as server:
            server.execute(statement.encode())

    async def stop(self) -> float:
        """Seconds from SIGTERM to the end of the console."""
        if self.console is not None:
            self.stopped_in_s = await asyncio.to_thread(self.console.stop)
        return self.stopped_in_s

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()
        if self.servers.postgresql:
            with contextlib.suppress(psycopg.Error):
                self._on_server(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')


def prepare(folder: Path) -> None:
    """A migrated database and the gathered static files, which take a while; kept between runs."""
    env = environment(
        folder / "home",
        DATABASE_URL=f"sqlite:///{folder / 'console.sqlite3'}",
        SECRET_KEY=secrets.token_hex(),
        WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
    )
    run("-m", ROWS, "--agents", "0", env=env)


@contextlib.contextmanager
def closing_all(processes: list[Process]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.stop()
