"""Small sample files as phones send them: picture, voice, video, text and PDF.

Common programs open them. They are small and deterministic: the same name gives the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

VOICE_FILE = Path(__file__).with_name("voice.silk")
VIDEO_FILE = Path(__file__).with_name("video.mp4")


def picture(hue: int = 0, size: int = 240) -> bytes:
    """A square PNG with a soft gradient. `hue` 0–5 selects its colours."""
    red, green, blue = ((90, 140, 220), (210, 120, 80), (80, 170, 120))[hue % 3]
    rows = bytearray()
    for y in range(size):
        rows.append(0)
        for x in range(size):
            light = (x + y) * 70 // (2 * size)
            stripe = 22 if (x // 30 + y // 30 + hue) % 2 else 0
            rows += bytes(min(255, c + light + stripe) for c in (red, green, blue))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def voice() -> bytes:
    """SILK v3 in WeChat's form: a 0x02 byte, the header, frames with their lengths."""
    if VOICE_FILE.is_file():
        return VOICE_FILE.read_bytes()
    frame = bytes((0xB0, 0x4A, 0x8F, 0x11, 0x7C, 0xE3)) * 4
    return b"\x02#!SILK_V3" + (struct.pack("<H", len(frame)) + frame) * 50


def video() -> bytes:
    """Three seconds of moving colours, 320 by 240: H.264 in MP4, as phones send it."""
    return VIDEO_FILE.read_bytes()


def note(text: str) -> bytes:
    return text.encode()


def pdf(title: str = "Invoice SF1039") -> bytes:
    """A one-page PDF with a valid cross-reference table."""
    stream = f"BT /F1 24 Tf 60 760 Td ({title}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
