"""Repairs truncated pictures so that a decoder accepts them, and finds missing pixels. No I/O.

A decoder that tolerates a missing end does not say which pixels it made up. So the missing part is
filled twice with different bytes: pixels that differ between the two results are missing.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

MOST_MENDED_BYTES = 256 * 1024 * 1024
"""A length in a header is believed up to this size."""
_PATTERN = bytes((0x5A, 0xA5, 0x3C, 0x6E, 0xD2, 0x4B, 0x17, 0x99))


@dataclass(frozen=True, slots=True)
class Mended:
    """`other`: the same with a different filling, None if nothing was filled.

    `lacks`: something is missing even if no pixels differ. `leaves_gap`: the filling decodes to
    something like a picture, so the gap must be covered.
    """

    data: bytes
    other: bytes | None = None
    lacks: bool = False
    leaves_gap: bool = False


def mended(data: bytes) -> Mended | None:
    """None if no pixel arrived, or for an unsupported format."""
    for start, mend in _MENDERS:
        if data.startswith(start):
            return mend(data)
    return None


def is_begun(data: bytes) -> bool:
    """True if the data starts as a picture and ends before its first pixel."""
    if data.startswith(b"\xff\xd8\xff"):
        return not _walk_jpeg(data).is_ended
    if data.startswith(b"\x89PNG"):
        return len(data) < 16 or data[12:16] == b"IHDR"
    if data.startswith(b"RIFF"):
        return data[12:15] == b"VP8"
    return data.startswith((b"GIF87a", b"GIF89a", b"BM"))


def lacks_frames(data: bytes) -> bool:
    """True if the first frame is complete and later ones are missing."""
    if data.startswith(b"GIF8"):
        return _gif_lacks_frames(data)
    if data.startswith(b"\x89PNG"):
        return b"acTL" in data[:4096] and b"IEND" not in data[-64:]
    return False


# JPEG

_JPEG_END = b"\xff\xd9"
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_ALL_64 = (1 << 64) - 1
_LONG_PADDING = bytes(16)


@dataclass(slots=True)
class _JpegWalk:
    """`end`: where complete data ends. `done`: per component, coefficients with full precision."""

    end: int = 0
    is_ended: bool = False
    has_pixels: bool = False
    components: tuple[int, ...] = ()
    done: dict[int, int] | None = None

    @property
    def lacks_scans(self) -> bool:
        done = self.done or {}
        return any(done.get(one, 0) != _ALL_64 for one in self.components)


def _walk_jpeg(data: bytes) -> _JpegWalk:
    """Read segment by segment, up to the end of the picture or of the data."""
    walk, at = _JpegWalk(end=2, done={}), 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF) or marker in _NO_LENGTH:
            at += 1
            continue
        if marker == 0xD9:
            break
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if after > len(data):
            return walk
        _note_segment(walk, marker, data[at + 4 : after])
        at = walk.end = after
        if marker == 0xDA:
            found = _NEXT_MARKER.search(data, after)
            at = walk.end = found.start() if found else len(data)
            walk.has_pixels = walk.has_pixels or at > after
    walk.is_ended = data[at : at + 2] == _JPEG_END
    return walk


def _note_segment(walk: _JpegWalk, marker: int, body: bytes) -> None:
    if marker in _FRAMES and len(body) > 5:
        walk.components = tuple(body[6 + 3 * n] for n in range(body[5]) if 6 + 3 * n < len(body))
    if marker == 0xDA and len(body) >= 4:
        count = body[0]
        first, last, bits = (*body[1 + 2 * count : 4 + 2 * count], 0, 0, 0)[:3]
        if walk.done is not None and bits & 0x0F == 0 and first <= last < 64:
            mask = ((1 << (last - first + 1)) - 1) << first
            for one in body[1 : 1 + 2 * count : 2]:
                walk.done[one] = walk.done.get(one, 0) | mask


def _mend_jpeg(data: bytes) -> Mended | None:
    walk = _walk_jpeg(data)
    if not walk.has_pixels:
        return None
    if walk.is_ended:
        return Mended(data, lacks=True)
    kept = data[: walk.end]
    if kept.endswith(_LONG_PADDING):
        kept = kept.rstrip(b"\0")
    kept = kept.removesuffix(b"\xff")
    filling = _PATTERN * 512
    restarts = b"".join(bytes((0xFF, 0xD0 + n)) + filling for n in range(8))
    other = kept + filling + restarts + _JPEG_END
    return Mended(kept + _JPEG_END, other, lacks=walk.lacks_scans)


# PNG and GIF: the decoder stops at the end of the data by itself.

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _mend_png(data: bytes) -> Mended | None:
    """Unchanged, if at least one row arrived."""
    at = data.find(b"IDAT")
    if at < 33 or data[12:16] != b"IHDR":
        return None
    width, depth, colour = int.from_bytes(data[16:20], "big"), data[24], data[25]
    row = (width * depth * _CHANNELS.get(colour, 1) + 7) // 8 + 1
    if data[28]:  # interlaced: the first pass has every eighth pixel
        row = row // 8 + 1
    try:
        came = zlib.decompressobj().decompress(data[at + 4 : at + 4 + 16 * row], row)
    except zlib.error:
        return None
    return Mended(data, lacks=True) if len(came) >= row else None


_GIF_HEAD = 13


def _gif_table(packed: int) -> int:
    """Size of a colour table in bytes."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _skip_blocks(data: bytes, at: int) -> int:
    """The position after a chain of blocks; beyond the end of `data` if the chain is cut."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _mend_gif(data: bytes) -> Mended | None:
    """Unchanged, if any part of the first frame arrived."""
    at = _GIF_HEAD + (_gif_table(data[10]) if len(data) > 10 else 0)
    while data[at : at + 1] == b"\x21":
        at = _skip_blocks(data, at + 2)
    if data[at : at + 1] != b"\x2c" or len(data) < at + 10:
        return None
    pixels_at = at + 10 + _gif_table(data[at + 9]) + 1
    return Mended(data, lacks=True) if len(data) > pixels_at + 2 else None


def _gif_lacks_frames(data: bytes) -> bool:
    """True if the data ends inside a block. A missing trailer alone does not count."""
    at, is_announced = _GIF_HEAD + _gif_table(data[10]), False
    while at < len(data):
        kind = data[at]
        if kind == 0x21:
            is_announced = data[at + 1 : at + 2] == b"\xf9"
            at = _skip_blocks(data, at + 2)
        elif kind == 0x2C and at + 10 <= len(data):
            is_announced = False
            at = _skip_blocks(data, at + 10 + _gif_table(data[at + 9]) + 1)
        else:
            return kind == 0x2C
    return is_announced or at > len(data) + 1


# WebP

_WEBP_PIXELS = (b"VP8 ", b"VP8L")
_LEAST_FILLING = 64 * 1024
_ENCODER_PADDING = 4
_SPARSE = b"\xad\x80\x11" + bytes(12)


def _mend_webp(data: bytes) -> Mended | None:
    """Keeps complete chunks. A cut chunk is filled up to its length, or left out."""
    kept, has_pixels, at = bytearray(), False, 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size
        if end > len(data):
            return _mend_chunk(data, at, bytes(kept), has_pixels)
        kept += data[at:end] + bytes(size & 1)
        has_pixels = has_pixels or name in (*_WEBP_PIXELS, b"ANMF")
        at = end + (size & 1)
    said = int.from_bytes(data[4:8], "little") + 8
    if not has_pixels:
        return None
    return Mended(_riff(bytes(kept)), lacks=b"ANMF" in kept and said > len(data) + 1)


def _mend_chunk(data: bytes, at: int, before: bytes, has_pixels: bool) -> Mended | None:
    name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
    if has_pixels:  # a later frame, or metadata
        return Mended(_riff(before), lacks=name == b"ANMF")
    if name not in (*_WEBP_PIXELS, b"ANMF") or size > MOST_MENDED_BYTES or len(data) < at + 34:
        return None
    rest = data[at + 8 :]
    if name == b"ANMF":  # the length of the picture inside must stay as it is
        room = size - len(rest)
    else:  # the filling may need more bytes than are missing
        room = size - len(rest) + 4 * len(data) + _LEAST_FILLING
        room -= (len(rest) + room) & 1
    head = before + name + (len(rest) + room).to_bytes(4, "little") + rest
    odd = bytes((len(rest) + room) & 1)
    sparse = (_SPARSE * (room // len(_SPARSE) + 1))[:room]
    return Mended(
        _riff(head + bytes(room) + odd),
        _riff(head + sparse + odd),
        lacks=size - len(rest) > _ENCODER_PADDING,
        leaves_gap=True,
    )


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


# BMP


def _mend_bmp(data: bytes) -> Mended | None:
    """Fills missing rows, whose length is known. A compressed picture stops at the end of data."""
    if len(data) < 34:
        return None
    offset, header = (int.from_bytes(data[at : at + 4], "little") for at in (10, 14))
    if len(data) <= offset + 2:
        return None
    if header == 12:
        width, height, bits = (int.from_bytes(data[at : at + 2], "little") for at in (18, 20, 24))
        compression = 0
    else:
        width = int.from_bytes(data[18:22], "little")
        height = abs(int.from_bytes(data[22:26], "little", signed=True))
        bits = int.from_bytes(data[28:30], "little")
        compression = int.from_bytes(data[30:34], "little")
    needed = offset + (width * bits + 31) // 32 * 4 * height
    if compression not in (0, 3) or not len(data) < needed <= MOST_MENDED_BYTES:
        return Mended(data, lacks=True)
    missing = needed - len(data)
    padding = (width * bits + 31) // 32 * 4 - (width * bits + 7) // 8
    grey = b"\x80" if bits >= 16 else b"\0"
    return Mended(data + grey * missing, lacks=missing > padding)


_MENDERS: tuple[tuple[bytes, Callable[[bytes], Mended | None]], ...] = (
    (b"\xff\xd8\xff", _mend_jpeg),
    (b"\x89PNG", _mend_png),
    (b"GIF8", _mend_gif),
    (b"RIFF", _mend_webp),
    (b"BM", _mend_bmp),
)
