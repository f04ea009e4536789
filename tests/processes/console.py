"""`manage.py console` under test: a child on data of its own, on a simulated WeChat of the test.

The test reads the child's SQLite file read-only and never touches the child's memory.
"""

import http.client
import json
import re
import sqlite3
import urllib.parse
from pathlib import Path
from typing import Any

from sessions_app.simulator.serve import SimulatorServer
from tests.ports import free_port
from tests.processes.child import Child, environment, wait_for
from tests.processes.site import Site


class Console(Site):
    """One console and its data; it can be started, stopped, killed and started again."""

    def __init__(self, folder: Path, simulator: SimulatorServer, secrets: dict[str, str]) -> None:
        self.folder = folder
        self.simulator = simulator
        self.control = simulator.control
        self.port = free_port()
        self.database = folder / "console.sqlite3"
        self.env = environment(
            folder / "home",
            DATABASE_URL=f"sqlite:///{self.database}",
            WEILINK_ILINK_URL=simulator.url,
            WEILINK_CDN_URL=simulator.cdn_url,
            WEILINK_BASE_PATH=str(folder / "weilink"),
            WEILINK_MEDIA_ROOT=str(folder / "media"),
            PORT=str(self.port),
            **secrets,
        )
        self.children: list[Child] = []
        self.password = ""
        """Of the first administrator, once they chose it."""

    @property
    def child(self) -> Child:
        return self.children[-1]

    def launch(self, port: int | None = None) -> Child:
        """Start the process, without waiting for anything."""
        number = len(self.children) + 1
        arguments = ["console", "--port", str(port or self.port)]
        child = Child(arguments, env=self.env, log=self.folder / f"console-{number}")
        self.children.append(child)
        return child

    def start(self) -> None:
        child = self.launch()

        def is_ready() -> bool:
            assert child.is_running, child.err
            return self.get("/readyz")[0] == 200

        wait_for(is_ready, "the console ready", within_s=60)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """(status, body); status 0 while nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def log_in(self) -> str:
        """The cookie header of the first administrator, whose password the first start printed.

        The first login chooses a password of its own, which the next ones use.
        """
        found = re.search(r"First administrator: (\S+)  password: (\S+)", self.children[0].out)
        assert found is not None, self.children[0].out
        if self.password:
            return log_in(self.port, found[1], self.password)
        cookie = log_in(self.port, found[1], found[2])
        self.password = "Correct horse 7"
        return choose_password(self.port, cookie, self.password)

    # The data

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def spooled(self) -> list[Path]:
        return list((self.folder / "spool").glob("*"))

    def close(self) -> None:
        for child in self.children:
            if child.is_running:
                child.kill()


def log_in(port: int, username: str, password: str) -> str:
    """Through the page, as a browser does; returns what its Cookie header says then."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/accounts/login/")
        page = connection.getresponse()
        cookie = _cookies(page)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
        assert found is not None
        form = {"username": username, "password": password, "csrfmiddlewaretoken": found[1]}
        kind = "application/x-www-form-urlencoded"
        headers = {"Cookie": cookie, "Content-Type": kind}
        connection.request("POST", "/accounts/login/", urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 302, f"the login was answered with {answer.status}"
        return _cookies(answer)
    finally:
        connection.close()


def choose_password(port: int, cookie: str, password: str) -> str:
    """As the first login asks for; returns the Cookie header of the login that goes on."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    place = "/account/password/new/"
    try:
        connection.request("GET", place, headers={"Cookie": cookie})
        page = connection.getresponse().read().decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None, page
        form = {"new_password1": password, "new_password2": password}
        form["csrfmiddlewaretoken"] = found[1]
        kind = "application/x-www-form-urlencoded"
        headers = {"Cookie": cookie, "Content-Type": kind}
        connection.request("POST", place, urllib.parse.urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 302, f"the new password was answered with {answer.status}"
        return f"{_without_session(cookie)}; {_cookies(answer)}"
    finally:
        connection.close()


def _without_session(cookie: str) -> str:
    kept = [one for one in cookie.split("; ") if not one.startswith("weilink_session=")]
    return "; ".join(kept)


def _cookies(answer: http.client.HTTPResponse) -> str:
    given = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(line.partition(";")[0] for line in given)


def as_json(body: str) -> Any:
    return json.loads(body)
