"""A stranger's huge request is refused before it fills the memory, announced or not."""

import socket
from collections.abc import Iterator

import pytest

from tests.processes.console import Console

HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
MANY = 200 * 1024 * 1024
PIECE = b"x" * 65_536


@pytest.fixture
def line(console: Console) -> Iterator[socket.socket]:
    console.start()
    with socket.create_connection(("127.0.0.1", console.port), timeout=10) as made:
        yield made
    assert console.get("/healthz")[0] == 200


def test_an_announced_one_is_answered_at_once(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % MANY)
    assert line.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert _is_cut(line)


def test_an_unannounced_one_is_answered_as_soon_as_it_is_too_much(line: socket.socket) -> None:
    line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
    for _ in range(41):
        line.sendall(piece)
    assert line.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_form_within_the_limit_reaches_the_page(line: socket.socket) -> None:
    body = b"x" * 2_000_000
    line.sendall(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert line.recv(1000).startswith(b"HTTP/1.1 403 ")  # no CSRF token


def _is_cut(line: socket.socket) -> bool:
    """Whether the console closes the line although the rest never comes; 10 s at most."""
    try:
        line.sendall(PIECE)
        return line.recv(1000) == b""
    except ConnectionError:
        return True
