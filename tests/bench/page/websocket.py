"""A websocket as a browser opens it: text frames in order, pings answered, no compression."""

import asyncio
import base64
import contextlib
import os
import struct
from collections.abc import AsyncIterator

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """`await open()`, then read `texts()`; `send()` at any time."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._port, self._path, self._cookie = port, path, cookie
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        host = f"localhost:{self._port}"
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nCookie: {self._cookie}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.decode(errors="replace"))

    async def texts(self) -> AsyncIterator[str]:
        """Whole messages, until the server closes."""
        whole = bytearray()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                is_last, code, data = await self._frame()
                if code == _CLOSE:
                    return
                if code == _PING:
                    self._write(_PONG, data)
                elif code != _PONG:
                    whole += data
                    if is_last:
                        yield whole.decode()
                        whole.clear()

    async def _frame(self) -> tuple[bool, int, bytes]:
        assert self._reader is not None
        first, length = await self._reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(length)

    def send(self, text: str) -> None:
        self._write(_TEXT, text.encode())

    def _write(self, code: int, data: bytes) -> None:
        """A frame of less than 64 kB, masked as a client's must be."""
        assert self._writer is not None
        length = bytes([0x80 | len(data)])
        if len(data) > 125:
            length = bytes([0x80 | 126]) + struct.pack("!H", len(data))
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self._writer.write(bytes([0x80 | code]) + length + mask + masked)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
