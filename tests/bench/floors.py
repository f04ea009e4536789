"""What cannot be undercut on this machine: clients of WeChat that store nothing, and the SDK."""

import asyncio
import contextlib
import json
import re
import sqlite3
import sys
import time
from pathlib import Path

from tests.bench.page.client import Arrivals
from tests.bench.page.http import Connection
from tests.bench.processes import Process, until
from tests.bench.wechat.bots import bot_id_of, person_of, token_of
from tests.bench.wechat.control import FakeWeChat

_MARK = re.compile(rb"mark-\d{6}")
BASE_INFO = {"channel_version": "1.0.0", "bot_agent": "Bench/1.0.0"}


def _headers(number: int) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token_of(number)}",
        "AuthorizationType": "ilink_bot_token",
        "X-WECHAT-UIN": "MTIzNDU2Nzg5MA==",
        "iLink-App-Id": "bot",
        "iLink-App-ClientVersion": "65536",
    }


class BareClient:
    """Polls all bots and throws away what comes, noting only when each marked text came."""

    def __init__(self, wechat: FakeWeChat) -> None:
        self.arrivals = Arrivals()
        self._wechat = wechat
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "BareClient":
        await self._wechat.do("forget")
        self._tasks = [asyncio.create_task(self._poll(bot)) for bot in range(self._wechat.bots)]
        await self._wechat.all_polled(within_s=60)
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _poll(self, bot: int) -> None:
        line, cursor = Connection(self._wechat.port, _headers(bot)), ""
        try:
            while True:
                body = {"get_updates_buf": cursor, "base_info": BASE_INFO}
                answer = await line.post_json("/ilink/bot/getupdates", body)
                at = time.monotonic()
                for found in _MARK.findall(answer.body):
                    self.arrivals.note(found.decode(), at)
                cursor = answer.json()["get_updates_buf"]
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await line.close()


async def one_post(wechat: FakeWeChat, text: str) -> float:
    """Seconds from a POST of `sendmessage`, on a new connection, until it has arrived."""
    line = Connection(wechat.port, _headers(0))
    message = {
        "from_user_id": "", "to_user_id": person_of(0), "client_id": text, "message_type": 2,
        "message_state": 2, "context_token": "context",
        "item_list": [{"type": 1, "text_item": {"text": text}}],
    }  # fmt: skip
    began = time.monotonic()
    await line.post_json("/ilink/bot/sendmessage", {"msg": message, "base_info": BASE_INFO})
    await line.close()
    return next(at for sent, at in reversed(await wechat.sends()) if sent == text) - began


_SDK = """
import sys
from weilink import WeiLink
client = WeiLink(base_path=sys.argv[1], message_store=sys.argv[2])
while True:
    client.recv(timeout=5)
"""


async def sdk_stores(wechat: FakeWeChat, folder: Path, count: int, *, within_s: float) -> float:
    """Seconds until the `weilink` SDK's own store has the messages that wait for bot 0.

    One session: with a hundred, its polls take the lock from each other and it is ten times slower.
    """
    session = folder / "sdk" / "default"
    session.mkdir(parents=True)
    token = {
        "bot_id": bot_id_of(0), "base_url": wechat.url, "token": token_of(0), "user_id": "",
        "cursor": "", "created_at": time.time(),
    }  # fmt: skip
    (session / "token.json").write_text(json.dumps(token))
    store = folder / "sdk.db"
    arguments = [sys.executable, "-c", _SDK, str(folder / "sdk"), str(store)]
    process = Process(arguments, log=folder / "sdk.log")
    try:
        began = await until(lambda: _first_poll(wechat), "the SDK polls", within_s=30)
        await until(lambda: _stored(store, count), "the SDK has stored all", within_s=within_s)
        return time.monotonic() - began
    finally:
        await asyncio.to_thread(process.stop)


async def _first_poll(wechat: FakeWeChat) -> float:
    state = await wechat.state()
    return float(state["at"]) if state["polls"] else 0.0


async def _stored(store: Path, count: int) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as file:
        found = file.execute("SELECT COUNT(*) FROM messages").fetchone()
    return bool(found[0] >= count)


def commits_per_s(folder: Path, seconds: float = 2.0) -> float:
    """How many lone rows SQLite commits, each synced to the disk as the console's are."""
    with contextlib.closing(
        sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    ) as file:
        file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        file.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, text TEXT)")
        began, count = time.perf_counter(), 0
        while (took := time.perf_counter() - began) < seconds:
            file.execute("INSERT INTO message (text) VALUES ('a message of usual length')")
            count += 1
    return count / took
