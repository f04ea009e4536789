"""What a web process refuses before it has a request: over real sockets, under both of its servers.

The bounds of time are set shorter than usual, and some counts lower.
"""

import json
import socket
from contextlib import closing

import pytest

from tests.processes.child import Child, python, wait_for
from tests.processes.console import Console

MAKE_TOKEN = """
from sessions_app.models import User
from sessions_app.people.tokens import issue_token
print(issue_token(owner=User.objects.get(is_superuser=True), name="test")[1])
"""
LIMITED = """
import sys
from weilink_site.bounds import limits
limits.HEAD_S = 1.0
limits.BODY_GRACE_S = 1.0
limits.BODIES_EACH = 2
"""
CONSOLE = """
from weilink_site.command_line import run
run(["manage.py", "console", *sys.argv[1:]])
"""
DAPHNE = """
from daphne.cli import CommandLineInterface
CommandLineInterface().run([*sys.argv[1:], "weilink_site.asgi:application"])
"""
SERVERS = {"console": (CONSOLE, "--port"), "daphne": (DAPHNE, "-p")}
LARGE = 90 * 1024 * 1024
EDGE = "weilink-edge"
FRONT = (
    f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
BACK = f"\r\n--{EDGE}--\r\n".encode()


class Server:
    def __init__(self, console: Console, kind: str) -> None:
        self.port = console.port
        self.token = ""
        self._console = console
        code, port = SERVERS[kind]
        self.child = Child(
            [port, str(self.port)],
            env=console.env,
            log=console.folder / kind,
            program=["-c", LIMITED + code],
        )
        console.children.append(self.child)
        wait_for(self._answers, "the server", within_s=60)

    def _answers(self) -> bool:
        assert self.child.is_running, self.child.err
        return self._console.get("/healthz")[0] == 200

    def line(self) -> "Line":
        return Line(socket.create_connection(("127.0.0.1", self.port), timeout=20))

    def post(self, path: str, *lines: str, length: int | None = LARGE, token: str = "") -> "Line":
        """A request whose body has not begun. `length`: None for one that is not announced."""
        line = self.line()
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        shown = [f"Authorization: Bearer {token}"] if token else []
        head = [f"POST {path} HTTP/1.1", f"Host: localhost:{self.port}", size, *shown, *lines]
        line.send("\r\n".join([*head, "", ""]).encode())
        return line


class Line:
    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def send(self, data: bytes) -> None:
        self._line.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """Status and all that comes until the console closes the line."""
        received = self.rest()
        return int(received.split()[1]), received

    def rest(self) -> bytes:
        received = b""
        try:
            while piece := self._line.recv(65_536):
                received += piece
        except ConnectionError:
            assert received
        return received

    def drip(self, piece: bytes) -> tuple[int, bytes]:
        """Send the piece again and again until the console answers and closes the line."""
        self._line.settimeout(0.05)
        while True:
            try:
                self._line.recv(1, socket.MSG_PEEK)
                self._line.settimeout(20)
                return self.answer()
            except TimeoutError:
                self._line.sendall(piece)

    def begins_with(self, words: bytes) -> None:
        assert self._line.recv(len(words), socket.MSG_WAITALL) == words

    def is_silent(self, for_s: float = 0.5) -> bool:
        self._line.settimeout(for_s)
        try:
            return self._line.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        finally:
            self._line.settimeout(20)

    def close(self) -> None:
        self._line.close()


@pytest.fixture(params=list(SERVERS))
def server(request: pytest.FixtureRequest, console: Console) -> Server:
    """One of the two ways in which a web process is started."""
    return Server(console, request.param)


@pytest.fixture
def console_server(console: Console) -> Server:
    server = Server(console, "console")
    server.token = python(MAKE_TOKEN, env=console.env)
    return server


def _is_json(received: bytes, code: str) -> bool:
    body = received.partition(b"\r\n\r\n")[2]
    return bool(json.loads(body)["error"]["code"] == code)


def test_strangers_bodies_are_refused_at_once_and_lines_that_drip_are_cut(server: Server) -> None:
    """Nothing of the bodies is ever sent: the answer does not wait for them."""
    made_up = f"wlk_{'x' * 43}"
    with closing(server.post("/api/v1/uploads")) as line:
        status, received = line.answer()
        assert (status, _is_json(received, "unauthorized")) == (401, True)
        assert b"\r\nWWW-Authenticate: Bearer\r\n" in received
    with closing(server.post("/api/v1/uploads", token=made_up)) as line:
        assert line.answer()[0] == 401
    with closing(server.post("/inbox/uploads/", f"Cookie: weilink_session={made_up}")) as line:
        assert line.answer()[0] == 401
    with closing(server.post("/accounts/login/", length=65_537)) as line:
        assert line.answer()[0] == 413
    with closing(server.post("/api/v1/messages", length=None, token=made_up)) as line:
        line.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n1\r\nx")
        assert line.answer()[0] == 401

    with closing(server.line()) as line:
        status, received = line.drip(b"X")
        assert status == 408
    with closing(server.line()) as line:
        line.send(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n")
        status, received = line.drip(b"X-A: b\r\n")
        assert (status, _is_json(received, "too_slow")) == (408, True)
    with closing(server.post("/accounts/login/", length=60_000)) as line:
        assert line.drip(b"x")[0] == 408


def test_a_line_that_rests_between_two_requests_is_not_cut(server: Server) -> None:
    request = f"GET /healthz HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode()
    with closing(server.line()) as resting, closing(server.line()) as dripping:
        resting.send(request[:10])
        resting.send(request[10:])
        resting.begins_with(b"HTTP/1.1 200 ")
        assert dripping.drip(b"X")[0] == 408  # by then more than the time for lines has passed
        resting.send(request[:-2] + b"Connection: close\r\n\r\n")
        assert resting.rest().count(b"HTTP/1.1 200 ") == 1


def test_an_upload_that_is_slow_but_comes_is_taken_and_one_that_stops_is_not(
    console_server: Server,
) -> None:
    kind = f"Content-Type: multipart/form-data; boundary={EDGE}"
    content = b"x" * 400_000
    body = FRONT + content + BACK
    token = console_server.token
    upload = console_server.post("/api/v1/uploads", kind, length=len(body), token=token)
    stops = console_server.post("/api/v1/uploads", kind, length=len(body), token=token)
    with closing(upload), closing(stops):
        for start in range(0, len(body), 20_000):
            assert upload.is_silent(0.1)
            upload.send(body[start : start + 20_000])
        upload.begins_with(b"HTTP/1.1 201 ")
        assert stops.drip(b"x")[0] == 408


def test_one_caller_has_so_many_bodies_open_and_others_have_theirs(
    console_server: Server, console: Console
) -> None:
    first, second = console_server.token, python(MAKE_TOKEN, env=console.env)
    lines = [console_server.post("/api/v1/uploads", token=first) for _ in range(2)]
    assert all(line.is_silent() for line in lines)
    with closing(console_server.post("/api/v1/uploads", token=first)) as third:
        status, received = third.answer()
        assert (status, _is_json(received, "too_many_at_once")) == (429, True)
        assert b"\r\nRetry-After: 2\r\n" in received
    with closing(console_server.post("/api/v1/uploads", token=second)) as other:
        assert other.is_silent()
    lines.pop().close()

    def is_let_in() -> bool:
        with closing(console_server.post("/api/v1/uploads", token=first)) as again:
            return again.is_silent(0.2)

    wait_for(is_let_in, "a place free again")
    lines.pop().close()
    metrics = console.get("/metrics")[1]
    assert 'weilink_requests_bounded_total{process="' in metrics
    assert 'reason="caller_bodies"' in metrics


def test_a_client_that_asks_before_it_sends_is_told_no_or_go_on(console_server: Server) -> None:
    """curl does so with every large file."""
    expects = "Expect: 100-continue"
    with closing(console_server.post("/api/v1/uploads", expects, token="wlk_no")) as line:
        status, received = line.answer()
        assert status == 401
        assert b"100 Continue" not in received
    with closing(console_server.post("/api/v1/uploads", expects, length=10**10)) as line:
        assert b"100 Continue" not in line.answer()[1]
    kind = f"Content-Type: multipart/form-data; boundary={EDGE}"
    body = FRONT + b"x" * 100_000 + BACK
    for _ in range(2):  # looked at, then known
        with closing(
            console_server.post(
                "/api/v1/uploads", kind, expects, length=len(body), token=console_server.token
            )
        ) as line:
            line.begins_with(b"HTTP/1.1 100 Continue\r\n\r\n")
            line.send(body)
            line.begins_with(b"HTTP/1.1 201 ")
