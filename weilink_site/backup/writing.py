"""Writes the archive: a tar file, hashed in pieces, with its checksums and manifest last."""

import contextlib
import hashlib
import io
import json
import os
import stat
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import IO

from weilink_site.backup.manifest import Manifest

CHECKSUMS, MANIFEST, LEFT_OUT, MEDIA_LIST = "checksums", "manifest.json", "left-out", "media-list"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
PIECE = 1024 * 1024


def checksum_line(name: str, size: int, digest: str) -> bytes:
    """One line of the member `checksums`. Sizes in bytes; SHA-256 in hexadecimal."""
    return f"{digest} {size} {json.dumps(name)}\n".encode("ascii")


class _Hashed:
    """Exactly `size` bytes of a file: one that shrinks while it is read is filled with zeros."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self._hash = hashlib.sha256()
        self.is_short = False

    def read(self, wanted: int = PIECE) -> bytes:
        wanted = min(wanted, self._left)
        piece = self._file.read(wanted)
        if len(piece) < wanted:
            self.is_short = True
            piece += bytes(wanted - len(piece))
        self._left -= len(piece)
        self._hash.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class ArchiveWriter:
    """`add` members, then `finish`. Lists are kept in files beside the archive, not in memory."""

    def __init__(self, path: Path) -> None:
        self._handle = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._tar = tarfile.open(  # noqa: SIM115 - closed by `finish` and `close`
            fileobj=self._handle, mode="w|", format=tarfile.PAX_FORMAT
        )
        self._lists = {
            name: path.with_name(f"{path.name}.{name}").open("w+b")
            for name in (CHECKSUMS, LEFT_OUT, MEDIA_LIST)
        }
        self.members, self.size_bytes, self.left_out, self.listed = 0, 0, 0, 0

    def add(self, name: str, path: Path) -> bool:
        """Add a file. False: it is gone, or is no regular file, and is listed as left out."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.leave_out(name, error.strerror or "it cannot be opened")
            return False
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                self.leave_out(name, "it is no regular file")
                return False
            if self._add(name, file, found.st_size, found.st_mtime):
                self.leave_out(name, "its end was cut off while it was read")
        return True

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, io.BytesIO(content), len(content), 0)

    def leave_out(self, name: str, reason: str) -> None:
        self._lists[LEFT_OUT].write(f"{json.dumps(name)} {reason}\n".encode())
        self.left_out += 1

    def list_media(self, name: str, size: int) -> None:
        self._lists[MEDIA_LIST].write(f"{size} {json.dumps(name)}\n".encode("ascii"))
        self.listed += 1

    def first_left_out(self, limit: int) -> list[str]:
        with open(self._lists[LEFT_OUT].name, "rb") as file:
            return [line.decode().strip() for line, _ in zip(file, range(limit), strict=False)]

    def finish(self, manifest: Manifest) -> Manifest:
        """Add the lists and the sealed manifest, and sync. Returns the manifest as written."""
        for name in (MEDIA_LIST, LEFT_OUT):
            self._add_list(name)
        self._lists[CHECKSUMS].flush()
        with open(self._lists[CHECKSUMS].name, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        members, size_bytes = self.members, self.size_bytes
        self._add_list(CHECKSUMS)
        manifest = replace(
            manifest, members=members, size_bytes=size_bytes, checksums=digest,
            left_out=self.left_out,
        ).sealed()  # fmt: skip
        self.add_bytes(MANIFEST, manifest.as_json())
        self._tar.close()
        self._handle.flush()
        os.fsync(self._handle.fileno())
        return manifest

    def close(self) -> None:
        """Also after a failure: what tarfile still wants to write does not matter then."""
        with contextlib.suppress(OSError):
            self._tar.fileobj.close()
        for file in (*self._lists.values(), self._handle):
            file.close()

    def _add_list(self, name: str) -> None:
        file = self._lists[name]
        file.flush()
        size = file.tell()
        file.seek(0)
        self._add(name, file, size, 0)
        file.seek(size)

    def _add(self, name: str, file: IO[bytes], size: int, modified_s: float) -> bool:
        """Returns whether the file was shorter than it said."""
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(modified_s), 0o600
        hashed = _Hashed(file, size)
        self._tar.addfile(info, hashed)
        self._tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every name
        if name not in (CHECKSUMS, MANIFEST):
            self._lists[CHECKSUMS].write(checksum_line(name, size, hashed.hexdigest()))
            self.members += 1
            self.size_bytes += size
        return hashed.is_short
