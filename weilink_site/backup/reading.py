"""Reads an archive: checks every member before anything is written, and unpacks nothing by itself.

Only regular files with the names of a backup are accepted, whatever a tar file may hold.
"""

import hashlib
import re
import tarfile
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO

from weilink_site.backup.manifest import Manifest
from weilink_site.backup.refused import Refused
from weilink_site.backup.writing import (
    CHECKSUMS,
    DATABASES,
    LEFT_OUT,
    MANIFEST,
    MEDIA_LIST,
    PIECE,
    checksum_line,
)  # fmt: skip

LONGEST_MANIFEST = 16 * 1024 * 1024
_PLAIN = {CHECKSUMS, MANIFEST, LEFT_OUT, MEDIA_LIST, *DATABASES.values()}
_INSIDE = re.compile(r"(media|spool|folder)((?:/[^/\x00]+)+)")
DAMAGED = "the file is damaged; use another backup."


class Archive:
    """An open backup file. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise Refused(f"{path} cannot be opened: {error.strerror or error}.") from None

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def verify(self) -> Manifest:
        """Read it all. Raises Refused if it is not complete and unchanged, or keys are missing."""
        manifest: Manifest | None = None
        given = hashlib.sha256()
        members, size = 0, 0
        with tempfile.TemporaryFile() as ours, tempfile.TemporaryFile() as theirs:
            for info, content in self.members():
                if manifest is not None:
                    raise self._refused("It goes on after its manifest: " + DAMAGED)
                if info.name == MANIFEST:
                    manifest = self._manifest(content, info.size)
                elif info.name == CHECKSUMS:
                    while piece := content.read(PIECE):
                        given.update(piece)
                        theirs.write(piece)
                else:
                    ours.write(checksum_line(info.name, info.size, _digest(content)))
                    members, size = members + 1, size + info.size
            if manifest is None:
                raise self._refused("It has no manifest at its end, so it is not complete.")
            if difference := _first_difference(ours, theirs):
                raise self._refused(f"{difference}: {DAMAGED}")
        if (members, size, given.hexdigest()) != (
            manifest.members, manifest.size_bytes, manifest.checksums,
        ):  # fmt: skip
            raise self._refused("Its content is not what its manifest says: " + DAMAGED)
        try:
            manifest.check_keys()
        except Refused as refused:
            raise self._refused(str(refused)) from None
        return manifest

    def members(self) -> Iterator[tuple[tarfile.TarInfo, "Content"]]:
        """Each member and its content, which has to be read before the next one."""
        self._file.seek(0)
        try:
            with tarfile.open(fileobj=self._file, mode="r|") as tar:
                while (info := tar.next()) is not None:
                    tar.members.clear()  # type: ignore[attr-defined]  # or it keeps them all
                    content = tar.extractfile(info) if _is_ours(info) else None
                    if content is None:
                        raise self._refused(
                            f"It has a member that no backup has ({info.name[:80]!a}): " + DAMAGED
                        )
                    yield info, Content(content, self._cut_off())
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise self._cut_off() from error

    def _cut_off(self) -> Refused:
        return self._refused("It is cut off or is no backup: " + DAMAGED)

    def _manifest(self, content: "Content", size: int) -> Manifest:
        if size > LONGEST_MANIFEST:
            raise self._refused("Its manifest is too long: " + DAMAGED)
        try:
            return Manifest.from_json(content.read(size))
        except Refused as refused:
            raise self._refused(str(refused)) from None

    def _refused(self, words: str) -> Refused:
        return Refused(f"{self.path} cannot be restored. {words}")


class Content:
    """What is in a member. Reading past the end of a file that was cut raises Refused."""

    def __init__(self, file: IO[bytes], cut_off: Refused) -> None:
        self._file, self._refused = file, cut_off

    def read(self, size: int = PIECE) -> bytes:
        try:
            return self._file.read(size)
        except (tarfile.TarError, EOFError) as error:
            raise self._refused from error


def _is_ours(info: tarfile.TarInfo) -> bool:
    """A regular file with a name that cannot lead out of its folder."""
    if info.type != tarfile.REGTYPE or info.issparse():
        return False
    if info.name in _PLAIN:
        return True
    found = _INSIDE.fullmatch(info.name)
    return found is not None and not {".", ".."} & set(found[2].split("/"))


def _digest(content: Content) -> str:
    found = hashlib.sha256()
    while piece := content.read(PIECE):
        found.update(piece)
    return found.hexdigest()


def _first_difference(ours: IO[bytes], theirs: IO[bytes]) -> str:
    """Names the first member that is not as it was written, or ""."""
    ours.seek(0)
    theirs.seek(0)
    for mine, other in zip_longest(ours, theirs, fillvalue=b""):
        if mine != other:
            name = (mine or other).decode("ascii", "replace").split(" ", 2)[-1].strip()
            return f"The member {name} is not as it was written"
    return ""
