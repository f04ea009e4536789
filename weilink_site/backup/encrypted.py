"""Files that hold credentials, encrypted with the credential keys in pieces of one megabyte.

Each piece is its length in four bytes and the value of `encrypt_bytes`. The order of the pieces is
guarded by the checksum of the whole member, which the manifest seals.
"""

import struct
from pathlib import Path
from typing import IO, Protocol

from sessions_app.database.encryption import DecryptionError, decrypt_bytes, encrypt_bytes
from weilink_site.backup.refused import Refused

PIECE = 1024 * 1024
_LONGEST = PIECE + 1024
_LENGTH = struct.Struct(">I")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def encrypt_file(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as written:
        while piece := source.read(PIECE):
            value = encrypt_bytes(piece)
            written.write(_LENGTH.pack(len(value)) + value)


def decrypt_file(source: Readable, target: Path) -> None:
    """Raises Refused if the keys are others or the pieces are damaged."""
    with target.open("wb") as written:
        while head := source.read(_LENGTH.size):
            length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else _LONGEST + 1
            value = source.read(length) if length <= _LONGEST else b""
            try:
                written.write(decrypt_bytes(value))
            except DecryptionError:
                raise Refused(
                    "The keys here cannot read the session folder in this backup: set "
                    "WEILINK_CREDENTIAL_KEYS to those that it was made with."
                ) from None
