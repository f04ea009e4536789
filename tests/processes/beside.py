"""A console that shares its folder with other programs, driven as people and tools do: by its API.

Sessions stand in the folder before anybody starts, so that whoever comes first may poll them.
"""

import http.client
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sessions_app.folder.store import SessionFolder, StoredContext, StoredToken
from tests.processes.child import python, run, wait_for
from tests.processes.console import Console

DRAFTS = (".tmp", ".console-draft")
"""What a killed writer leaves; nobody reads it, and the next writer replaces it."""
NO_PACE = """
from sessions_app.models import TeamSettingsRow
TeamSettingsRow.objects.update_or_create(pk=1, defaults={"pace_count": 30_000})
"""
"""The simulated WeChat of these tests counts no pace, so the console must not wait for it."""


class SharedConsole:
    """One console, its folder, and the bots in it by their session's name."""

    def __init__(self, console: Console) -> None:
        self.console, self.control = console, console.control
        self.folder = SessionFolder(Path(console.env["WEILINK_BASE_PATH"]))
        self.bots: dict[str, str] = {}
        self._token = ""
        self.control.switches(pace_on=False)

    @property
    def base(self) -> Path:
        return self.folder.base

    def bind(self, name: str, account: str = "Lin") -> str:
        """Credentials in the folder, as a login of any program leaves them; the bot id."""
        bot = self.control.bind(account, notified=True)
        url = self.console.simulator.url
        token = StoredToken(bot["bot_id"], url, bot["token"], bot["account_id"])
        with self.folder.changing(make=True) as change:
            change.write_token(name, token)
        self.bots[name] = bot["bot_id"]
        return str(bot["bot_id"])

    def start(self) -> None:
        """The first time with a token of the API, which is kept."""
        self.console.start()
        if not self._token:
            made = run("api_token", "create", "admin", "--name", "test", env=self.console.env)
            assert made.returncode == 0, made.stderr
            self._token = made.stdout.strip()
            python(NO_PACE, env=self.console.env)

    # The API

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON); status 0 while nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=20)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{quote(path, safe='/?=&')}", sent, headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def reply(self, to: str, text: str) -> str:
        """Queue one reply; its id."""
        status, answer = self.call("POST", "/messages", {"to": to, "text": text})
        assert status == 202, (status, answer)
        return str(answer["id"])

    def fate(self, message_id: str) -> tuple[str, str]:
        """(status, error code) of one reply."""
        _status, answer = self.call("GET", f"/messages/{message_id}")
        return answer["status"], (answer["error"] or {}).get("code", "")

    def send(self, to: str, text: str) -> None:
        """A reply, until WeChat has taken it."""
        message_id = self.reply(to, text)
        wait_for(lambda: self.fate(message_id) == ("sent", ""), f"“{text}” sent")

    def remaining(self, to: str) -> int:
        """Replies left, as the console shows them on the person's thread."""
        _status, answer = self.call("GET", "/conversations?limit=200")
        [conversation] = [one for one in answer["items"] if one["user_id"] == to]
        return int(conversation["remaining"])

    def states(self) -> dict[str, str]:
        _status, answer = self.call("GET", "/sessions?limit=200")
        return {one["name"]: one["state"] for one in answer["items"]} if answer else {}

    def default(self) -> str | None:
        _status, answer = self.call("GET", "/sessions?limit=200")
        return next((one["name"] for one in answer["items"] if one["is_default"]), None)

    def wait_for_state(self, name: str, state: str, within_s: float = 15.0) -> None:
        wait_for(lambda: self.states().get(name) == state, f"{name} {state}", within_s=within_s)

    # What is there

    def counted(self, name: str, to: str) -> int:
        """Replies that WeChat itself counts on the newest token."""
        return int(self.control.chat(self.bots[name], to)["replies"])

    def context(self, name: str, to: str) -> StoredContext:
        return self.folder.read_contexts(name).get(to, StoredContext())

    def lines(self) -> list[str]:
        """Quiet lines in the threads, oldest first."""
        query = "SELECT event FROM messaging_message WHERE event <> '' ORDER BY id"
        return [row[0] for row in self.console.rows(query)]

    def set_aside(self) -> dict[str, str]:
        """Folders that are no sessions: name → problem."""
        rows = self.console.rows("SELECT set_aside FROM sessions_app_sharedfolder")
        return {one["name"]: one["problem"] for one in json.loads(rows[0][0])} if rows else {}

    def assert_whole(self) -> None:
        """Every file that any program reads is complete."""
        read = 0
        for path in self.base.rglob("*.json"):
            json.loads(path.read_text())
            read += 1
        assert read >= len(self.bots), "there was nothing to look at"
        store = self.base / "messages.db"
        if store.exists():
            with closing(sqlite3.connect(store)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        known = {"token.json", "contexts.json"}
        for name in self.bots:
            inside = {path.name for path in (self.base / name).iterdir()}
            assert {one for one in inside - known if not one.endswith(DRAFTS)} == set()
