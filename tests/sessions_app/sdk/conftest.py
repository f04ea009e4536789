"""A simulated WeChat, a session folder on it, and WeiLinks that are closed at the end."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions_app import Message, WeiLink
from sessions_app.folder.store import SessionFolder, StoredToken
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.serve import SimulatorServer
from tests.session_folder import read_token

PERSON = "lina@im.wechat"
OTHER = "wang@im.wechat"
ACCOUNTS = iter(range(10_000))


class World:
    """Bots by session name, people who write to them, and WeiLinks on one folder."""

    def __init__(self, server: SimulatorServer, base: Path) -> None:
        self.server, self.control, self.base = server, server.control, base
        self.folder = SessionFolder(base)
        self.bots: dict[str, str] = {}
        self._opened: list[WeiLink] = []
        for user_id in (PERSON, OTHER):
            self.control.add_person(user_id.partition("@")[0], user_id)

    def bind(self, name: str) -> str:
        """A session with credentials on disk, as a login leaves it; its bot id."""
        account = f"Account {next(ACCOUNTS)}"
        self.control.add_account(account)
        bot = self.control.bind(account, notified=True)
        token = StoredToken(bot["bot_id"], self.server.url, bot["token"], bot["account_id"])
        with self.folder.changing(make=True) as change:
            change.write_token(name, token)
        self.bots[name] = bot["bot_id"]
        return str(bot["bot_id"])

    def open(self, **arguments: Any) -> WeiLink:
        weilink = WeiLink(**(arguments or {"base_path": self.base}))
        self._opened.append(weilink)
        return weilink

    def write(self, name: str, text: str = "hello", person: str = PERSON, **details: Any) -> Any:
        return self.control.write(self.bots[name], person, text, **details)

    def seen(self, name: str, person: str = PERSON) -> list[str]:
        return self.control.seen(self.bots[name], person)

    def replies(self, name: str, person: str = PERSON) -> int:
        """Replies that WeChat itself counts on the newest token."""
        return int(self.control.chat(self.bots[name], person)["replies"])

    def cursor(self, name: str) -> str:
        token = read_token(self.folder, name)
        assert token is not None
        return token.cursor

    def close(self) -> None:
        for weilink in self._opened:
            weilink.close()


@pytest.fixture(scope="module")
def _server() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=0.3) as server:
        yield server


@pytest.fixture
def world(
    _server: SimulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    _server.control.reset()
    _server.control.switches(hold_s=0.3, pace_on=False)
    monkeypatch.setenv("WEILINK_ILINK_URL", _server.url)
    monkeypatch.setenv("WEILINK_CDN_URL", _server.cdn_url)
    monkeypatch.setenv("WEILINK_BASE_PATH", str(tmp_path / "from-environment"))
    built = World(_server, tmp_path / "weilink")
    yield built
    built.close()


@pytest.fixture
def control(world: World) -> Control:
    return world.control


def until(check: Callable[[], Any], what: str = "", within_s: float = 10.0) -> Any:
    """Wait for a fact."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what or check}")
        time.sleep(0.01)
    return found


def received(weilink: WeiLink, count: int, within_s: float = 10.0) -> list[Message]:
    """At least so many messages, from as many calls as it takes."""
    messages: list[Message] = []
    deadline = time.monotonic() + within_s
    while len(messages) < count:
        assert time.monotonic() < deadline, f"only {len(messages)} of {count}"
        messages += weilink.recv(timeout=1)
    return messages


def texts(messages: list[Message]) -> list[str | None]:
    return [message.text for message in messages]


class InThread:
    """A call that blocks, in a thread; `result` waits for it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._error: list[BaseException] = []
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._call())
        except BaseException as error:
            self._error.append(error)

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def result(self, within_s: float = 20.0) -> Any:
        self._thread.join(within_s)
        assert self.is_done, "the call is still waiting"
        if self._error:
            raise self._error[0]
        return self._outcome[0]
