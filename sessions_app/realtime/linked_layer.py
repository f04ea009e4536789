"""The channel layer of a console without Redis: its two processes are linked by a socket.

What one process sends to a group reaches the channels of both. A message that does not get through
does no harm: pages and the worker look for changes by themselves, too (`streams`).
"""

import asyncio
import json
import logging
import socket
import struct
from typing import Any

from channels.layers import InMemoryChannelLayer

logger = logging.getLogger(__name__)

MOST_UNREAD = 4 * 2**20
"""Bytes that wait for a process that does not read. Beyond them messages are dropped."""
LENGTH = struct.Struct("!I")


class LinkedChannelLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """In memory, and linked to the layer of another process while `link` runs there and here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._writer: asyncio.StreamWriter | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await super().group_send(group, message)
        if self._loop is None:
            return
        words = json.dumps([group, message]).encode()
        if self._loop is asyncio.get_running_loop():
            self._write(words)
        else:
            self._loop.call_soon_threadsafe(self._write, words)

    def _write(self, words: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() < MOST_UNREAD:
            self._writer.write(LENGTH.pack(len(words)) + words)

    async def link(self, end: socket.socket) -> None:
        """Pass messages both ways. Returns when the other process is gone; then `end` is closed."""
        reader, self._writer = await asyncio.open_unix_connection(sock=end)
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
                group, message = json.loads(await reader.readexactly(length))
                await super().group_send(group, message)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._loop = None
            self._writer.close()
