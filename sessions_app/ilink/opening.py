"""Decrypts downloads from the CDN even if the key is wrong or missing, or the file truncated. Pure.

The key may be wrong, the body may be unencrypted although a key was given, and it may be truncated.
Correct padding proves little (one wrong key in 256 passes). So the message's facts about the file
decide: md5 and size, or the first bytes of a picture, voice or video.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from .crypto import Decryptor, decode_key
from .errors import CryptoError
from .wire import Item, ItemKind, Media

HEAD_BYTES = 64
_PIECE = 256 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}", re.ASCII)

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_SOUNDS = (b"\x02#!SILK", b"#!SILK", b"#!AMR", b"ID3", b"OggS", b"fLaC")
_STARTS = {
    ItemKind.IMAGE: _PICTURES,
    ItemKind.VOICE: _SOUNDS,
    ItemKind.VIDEO: (b"\x1a\x45\xdf\xa3",),
    ItemKind.FILE: (
        *_PICTURES, *_SOUNDS, b"\x1a\x45\xdf\xa3", b"%PDF-", b"PK\x03\x04", b"Rar!\x1a\x07",
        b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a message says about its file. `md5` in lower case, "" if unknown."""

    kind: ItemKind
    md5: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The file that was written. `is_cut`: its end is missing."""

    size: int
    md5: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Tried:
    size: int
    md5: str
    head: bytes
    is_padded: bool


def told_of(item: Item) -> Told:
    md5 = item.md5.strip().lower()
    return Told(item.kind, md5 if _MD5.fullmatch(md5) else "", item.size)


def decrypt_file(
    encrypted: IO[bytes], target: IO[bytes], *, media: Media, told: Told, takes_cut: bool = False
) -> Opened:
    """Decrypt `encrypted` into `target`. Both must be seekable.

    `takes_cut`: also accept a file that decrypts but lacks its end. Raises CryptoError.
    """
    if not media.aes_key.strip() and not media.other_key.strip():
        return _written(_copy(encrypted, target))
    tries: list[tuple[bytes, _Tried]] = []
    for key in _keys(media):
        tried = _decrypt(encrypted, target, key)
        if tried.is_padded and _is_certain(tried, told):
            return _written(tried)
        tries.append((key, tried))
    if _is_not_encrypted(encrypted, told):
        return _written(_copy(encrypted, target))
    for key, tried in reversed(tries):
        is_cut = not tried.is_padded
        if (
            _is_good_enough(tried, told)
            if not is_cut
            else takes_cut and _has_right_start(tried, told)
        ):
            if key != tries[-1][0]:  # the last result is still in `target`
                _decrypt(encrypted, target, key)
            return _written(tried, is_cut=is_cut)
    raise CryptoError("The file cannot be decrypted with its key.")


def looks_like(kind: ItemKind, head: bytes) -> bool:
    """Whether a file that begins with `head` is certainly of this kind.

    For FILE: any known type.
    """
    if head.startswith(_STARTS.get(kind, ())):
        return True
    if head[:4] == b"RIFF":
        kinds = {b"WEBP": ItemKind.IMAGE, b"WAVE": ItemKind.VOICE}
        return kind in (kinds.get(head[8:12]), ItemKind.FILE)
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return kind in (ItemKind.IMAGE, ItemKind.FILE)
    if head[4:8] == b"ftyp":
        return kind in (ItemKind.VIDEO, ItemKind.VOICE, ItemKind.FILE)
    return False


def _keys(media: Media) -> Iterator[bytes]:
    """Both keys, the preferred one first. Invalid keys are left out."""
    seen: set[bytes] = set()
    for text in (media.aes_key, media.other_key):
        try:
            key = decode_key(text)
        except CryptoError:
            continue
        if key not in seen:
            seen.add(key)
            yield key


def _is_certain(tried: _Tried, told: Told) -> bool:
    if told.md5:
        return tried.md5 == told.md5
    return tried.size == told.size if told.size is not None else looks_like(told.kind, tried.head)


def _is_good_enough(tried: _Tried, told: Told) -> bool:
    """True unless size and md5 both differ from what the message says."""
    return not told.md5 or tried.md5 == told.md5 or told.size in (None, tried.size)


def _has_right_start(tried: _Tried, told: Told) -> bool:
    """Whether the file begins as announced, so that only its end is missing."""
    return tried.size > 0 and looks_like(told.kind, tried.head)


def _is_not_encrypted(encrypted: IO[bytes], told: Told) -> bool:
    """Whether the body is not encrypted.

    A ciphertext is longer than its file, so equal size proves it.
    """
    size, head = encrypted.seek(0, 2), _head(encrypted)
    if told.md5 and told.size in (None, size) and _md5(encrypted) == told.md5:
        return True
    if told.kind is not ItemKind.FILE:
        return looks_like(told.kind, head)
    if told.md5:
        return False
    return size == told.size if told.size is not None else looks_like(told.kind, head)


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES)


def _md5(file: IO[bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in _pieces(file):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece


def _copy(encrypted: IO[bytes], target: IO[bytes]) -> _Tried:
    return _write(_pieces(encrypted), target, None)


def _decrypt(encrypted: IO[bytes], target: IO[bytes], key: bytes) -> _Tried:
    return _write(_pieces(encrypted), target, Decryptor(key))


def _write(pieces: Iterator[bytes], target: IO[bytes], decryptor: Decryptor | None) -> _Tried:
    """Write everything from the target's beginning, without the padding if it is valid."""
    digest, size, head, is_padded = hashlib.md5(usedforsecurity=False), 0, b"", True
    target.seek(0)
    target.truncate()
    for plain in _decrypted_pieces(pieces, decryptor):
        if plain is None:
            is_padded = False
            continue
        size += len(plain)
        head = (head + plain)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
        digest.update(plain)
        target.write(plain)
    target.flush()
    return _Tried(size, digest.hexdigest(), head, is_padded)


def _decrypted_pieces(
    pieces: Iterator[bytes], decryptor: Decryptor | None
) -> Iterator[bytes | None]:
    """Decrypted pieces. None means that the padding is invalid."""
    for piece in pieces:
        yield piece if decryptor is None else decryptor.update(piece)
    if decryptor is not None:
        try:
            yield decryptor.finalize()
        except CryptoError:
            yield None


def _written(tried: _Tried, *, is_cut: bool = False) -> Opened:
    return Opened(tried.size, tried.md5, is_cut)
