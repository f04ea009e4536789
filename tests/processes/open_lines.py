"""Connections that a browser may have open when the console is told to stop."""

import base64
import os
import socket


def open_websocket(port: int, cookie: str) -> socket.socket:
    """`/ws/live/` after its handshake and its first frame."""
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    shake_hands(line, f"http://localhost:{port}", cookie)
    return line


def shake_hands(line: socket.socket, origin: str, cookie: str) -> None:
    """Open `/ws/live/` on a connection, and read up to its first frame."""
    key = base64.b64encode(os.urandom(16)).decode()
    line.sendall(
        f"GET /ws/live/ HTTP/1.1\r\nHost: {origin.partition('//')[2]}\r\nOrigin: {origin}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\n\r\n".encode()
    )
    received = b""
    while b'"hello"' not in received:
        chunk = line.recv(4096)
        assert chunk, received
        received += chunk
    assert received.startswith(b"HTTP/1.1 101 ")


def open_slow_page(port: int) -> socket.socket:
    """A form whose browser is on a bad line: half of it is sent, the rest never comes."""
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    line.sendall(
        f"POST /accounts/login/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n"
        "username=ad".encode()
    )
    return line
