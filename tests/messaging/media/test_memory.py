"""A video of 100 MB from the CDN and to the CDN: less than 8 MB more. The CDN is a process."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.media import storing
from messaging.transfers.fetching import MediaFetcher
from messaging.transfers.sending import _pieces, _Sent
from sessions_app.ilink.cdn import Cdn
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import Media, UploadTarget

SIZE = 100 * 1024 * 1024
MOST_MORE_MB = 8
SERVER = """
import asyncio, sys
from sessions_app.ilink.crypto import Encryptor, cipher_size
SIZE, PIECE = int(sys.argv[1]), bytes(range(256)) * 1024

async def serve(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    if head.startswith(b"GET"):
        size = SIZE if b"whole" in head else 1024 * 1024
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % cipher_size(size))
        cipher = Encryptor(bytes(16))
        for _ in range(size // len(PIECE)):
            writer.write(cipher.update(PIECE))
            await writer.drain()
        writer.write(cipher.finalize())
    else:
        lines = head.decode().lower().split("\\r\\n")
        left = int(next(one for one in lines if one.startswith("content-length")).split(":")[1])
        while left > 0:
            left -= len(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\\r\\nx-encrypted-param: p\\r\\n")
        writer.write(b"Content-Length: 0\\r\\n\\r\\n")
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def cdn_url() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(SIZE)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}/c2c"
    process.kill()
    process.wait()
    process.stdout.close()


def _memory_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


class Watch:
    """The most memory that this process had inside the block, beyond what it began with."""

    def __enter__(self) -> "Watch":
        self.more_mb, self._over = 0.0, threading.Event()
        self._before = _memory_mb()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.002):
            self.more_mb = max(self.more_mb, _memory_mb() - self._before)


async def test_a_large_video_comes_and_goes_in_constant_memory(
    cdn_url: str, tmp_path: Path
) -> None:
    cdn = Cdn(base_url=cdn_url, hosts=HostPolicy(cdn_url))
    nothing: Any = None
    fetcher = MediaFetcher(
        run_in_database_thread=nothing, cdn=cdn, workshop=nothing, wake=lambda: None
    )
    path = tmp_path / "video"

    async def fetch(param: str) -> None:
        media = Media(param, bytes(16).hex(), "", 1)
        await fetcher._download(media, path, 2 * SIZE, 60)

    await fetch("warm")
    with Watch() as coming:
        await fetch("whole")
    assert path.stat().st_size == SIZE
    assert coming.more_mb < MOST_MORE_MB

    name, sent = await asyncio.to_thread(storing.take_in, path), _Sent(SIZE)
    with Watch() as going:
        await cdn.upload(
            UploadTarget("x", ""),
            file_key="f" * 32,
            key=bytes(16),
            source=lambda: _pieces(name, sent),
            size=SIZE,
        )
    assert going.more_mb < MOST_MORE_MB
    print(f"100 MB in: +{coming.more_mb:.1f} MB, out: +{going.more_mb:.1f} MB")
    await cdn.aclose()
    storing.remove([name])
