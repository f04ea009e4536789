"""Files for tests, made in code: pictures, voices, videos, and what only pretends to be one."""

import io
import math
import struct
import zlib

import pysilk
from PIL import Image

from sessions_app.simulator.media import samples

MP4 = samples.video()
VOICE = samples.voice()


def picture(width: int = 64, height: int = 40, kind: str = "PNG", **options: object) -> bytes:
    """A gradient, so that no two places look alike."""
    gradient = Image.linear_gradient("L").resize((width, height))
    made = Image.merge("RGB", (gradient, gradient.rotate(180), gradient))
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def turned_picture() -> bytes:
    """120 × 80 as stored; EXIF says that it is to be shown turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(120, 80, "JPEG", exif=exif)


def picture_bomb(side: int = 50_000) -> bytes:
    """A small PNG that says it has side × side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000), 9)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def silk(seconds: float = 3.0, rate: int = 24_000) -> bytes:
    """A tone that swells, as WeChat records it."""
    count = int(seconds * rate)
    tone = (int(20_000 * math.sin(at / 12) * at / count) for at in range(count))
    out = io.BytesIO()
    pysilk.encode(io.BytesIO(b"".join(struct.pack("<h", one) for one in tone)), out, rate, 24_000)
    return out.getvalue()


HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
