"""A stranger's huge request is refused before it fills the memory, announced or not."""

import json
import socket
from contextlib import AbstractContextManager

from tests.processes.child import python, wait_for
from tests.processes.console import Console

HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
MANY = 200 * 1024 * 1024
PIECE = b"x" * 65_536
REFUSED = b"HTTP/1.1 413 "
UPLOAD = b"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
TOKEN = """
from sessions_app.models import User
from sessions_app.people.tokens import issue_token
print(issue_token(owner=User.objects.get(is_superuser=True), name="test")[1])
"""
LARGER_FILES = """
from sessions_app.team_settings.limits import change_settings
change_settings(user=None, wanted={"file_mb": 150})
"""


def test_a_body_over_the_limit_is_refused_and_one_within_it_is_read(console: Console) -> None:
    console.start()

    def line() -> AbstractContextManager[socket.socket]:
        return socket.create_connection(("127.0.0.1", console.port), timeout=10)

    with line() as announced:
        announced.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % MANY)
        answer = announced.recv(1000)
        assert answer.startswith(REFUSED)
        assert b"\r\nWeiLink-Refusal: 413\r\n" in answer  # no proxy says so
        assert _is_cut(announced)
    with line() as unannounced:
        unannounced.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(41):
            unannounced.sendall(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
        assert unannounced.recv(1000).startswith(REFUSED)
    with line() as within:
        body = b"x" * 2_000_000
        cookie = f"Cookie: {console.log_in()}\r\n".encode()
        within.sendall(HEAD + cookie + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert within.recv(1000).startswith(b"HTTP/1.1 403 ")  # no CSRF token
    assert console.get("/healthz")[0] == 200


REFUSALS = [
    (b"POST /api/v1/uploads HTTP/1.1\r\nContent-Length: %d\r\n" % MANY, 413, "too_large"),
    (b"POST /api/v1/messages HTTP/1.1\r\nContent-Length: %d\r\n" % MANY, 413, "too_large"),
    (b"POST /api/v1/messages HTTP/1.1\r\nContent-Length: many\r\n", 400, "bad_request"),
    (b"GET /api/v1/status HTTP/1.1\r\nno colon\r\n", 400, "bad_request"),
    (b"GET /api/v1/status HTTP/1.1\r\n" + b"X: y\r\n" * 600, 400, "bad_request"),
    (b"GET /api/v1/status?x=\xff HTTP/1.1\r\nHost: localhost\r\n", 400, "bad_request"),
    (b"GET /api/v1/st\xc3\xa4tus HTTP/1.1\r\nHost: localhost\r\n", 400, "bad_request"),
    (b"GET /api/v1/messages?user=Li Na HTTP/1.1\r\nHost: localhost\r\n", 400, "bad_request"),
    (b"GET /api/v1/status HTTP/7\r\nHost: localhost\r\n", 400, "bad_request"),
    (b"GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n", 400, "bad_request"),
]


def test_what_the_server_itself_refuses_of_the_api_has_the_form_of_its_errors(
    console: Console,
) -> None:
    console.start()
    for lines, status, code in REFUSALS:
        with socket.create_connection(("127.0.0.1", console.port), timeout=10) as line:
            line.sendall(lines + b"\r\n")
            answer = b""
            while b"}}" not in answer and (piece := line.recv(65_536)):
                answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        body = rest[rest.index(b"{") : rest.rindex(b"}") + 1]  # without chunk sizes
        assert head.startswith(b"HTTP/1.1 %d " % status), (lines[:60], head)
        assert b"content-type: application/json" in head.lower(), lines[:60]
        assert json.loads(body)["error"]["code"] == code


def test_larger_files_that_another_process_allowed_are_let_in_soon(console: Console) -> None:
    console.start()
    head = UPLOAD % python(TOKEN, env=console.env).encode()

    def is_refused() -> bool:
        with socket.create_connection(("127.0.0.1", console.port), timeout=10) as line:
            line.sendall(head + b"Content-Length: 150000000\r\n\r\n")
            line.settimeout(0.3)
            try:
                return line.recv(1000).startswith(REFUSED)
            except TimeoutError:
                return False

    assert is_refused()
    python(LARGER_FILES, env=console.env)
    wait_for(lambda: not is_refused(), "a file of 140 MB let in", within_s=10)


def _is_cut(line: socket.socket) -> bool:
    """Whether the console closes the line although the rest never comes; 10 s at most."""
    try:
        line.sendall(PIECE)
        return line.recv(1000) == b""
    except ConnectionError:
        return True
