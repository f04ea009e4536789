"""Writes a zip archive piece by piece, for a download or a file, without holding it in memory."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

PIECE_BYTES = 256 * 1024


class Readable(Protocol):
    """What bytes are read from, piece by piece."""

    def read(self, count: int, /) -> bytes: ...


class _Outlet(io.RawIOBase):
    """Where the archive is written to: keeps what nobody has taken yet. It cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.waiting += len(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces, self.waiting = b"".join(self._pieces), [], 0
        return taken


class ZipStream:
    """Each method yields the bytes that are ready. Call `end` last."""

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w")

    def add_pieces(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """A compressed file that is made while it is written."""
        with self._zip.open(self._entry(name, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as to:
            for piece in pieces:
                to.write(piece)
                if self._outlet.waiting >= PIECE_BYTES:
                    yield self._outlet.take()
        yield self._outlet.take()

    def add_file(self, name: str, file: Readable) -> Iterator[bytes]:
        """A file of its own, as it is: pictures and videos are compressed already."""
        with self._zip.open(self._entry(name, zipfile.ZIP_STORED), "w", force_zip64=True) as to:
            while piece := file.read(PIECE_BYTES):
                to.write(piece)
                yield self._outlet.take()
        yield self._outlet.take()

    def end(self) -> Iterator[bytes]:
        self._zip.close()
        yield self._outlet.take()

    def _entry(self, name: str, how: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name)
        entry.compress_type, entry.external_attr = how, 0o600 << 16
        return entry


def json_list(rows: Iterable[object]) -> Iterator[bytes]:
    """A JSON list, an element at a time, each on a line of its own."""
    before = "[\n"
    for row in rows:
        yield (before + json.dumps(row, ensure_ascii=False, default=str)).encode(
            "utf-8", "surrogatepass"
        )
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"
