"""A small HTTP client on asyncio's streams: cheap enough for a thousand pages in one process."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, kept open; opened with the first request, and again if the server closed it.

    One request at a time; others wait.
    """

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        self._headers = {"Host": f"localhost:{port}", "Accept-Encoding": "gzip", **(headers or {})}
        self._busy = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.request("GET", path, headers or {})

    async def post_json(
        self, path: str, value: object, headers: Mapping[str, str] | None = None
    ) -> Answer:
        body = json.dumps(value).encode()
        kind = {"Content-Type": "application/json", **(headers or {})}
        return await self.request("POST", path, kind, body)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in {**self._headers, **headers}.items()]
        if method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join([*lines, "", ""]).encode() + body
        async with asyncio.timeout(WITHIN_S), self._busy:
            try:
                return await self._exchange(data)
            except (ConnectionError, asyncio.IncompleteReadError):
                if method != "GET":
                    raise
                await self.close()  # the server closed it while it was idle
                return await self._exchange(data)

    async def _exchange(self, data: bytes) -> Answer:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writer.write(data)
        answer = await read_answer(self._reader)
        if answer.headers.get("connection", "").lower() == "close":
            await self.close()
        return answer

    async def close(self) -> None:
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(first.split(" ")[1])
    body = b""
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _chunks(reader)
    elif length := int(headers.get("content-length", 0)):
        body = await reader.readexactly(length)
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(status, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while length := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(length + 2))[:-2]
    await reader.readexactly(2)
    return bytes(body)
