"""What a file is, by its bytes alone."""

import io
import wave

import pytest
from PIL import Image

from messaging.media.kinds import HEAD_BYTES, UNKNOWN, content_type_of, kind_of
from tests.messaging.media import samples


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(80))
    return out.getvalue()


def _webp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "WEBP")
    return out.getvalue()


KNOWN = [
    (samples.picture(kind="PNG"), "image/png", "image"),
    (samples.picture(kind="JPEG"), "image/jpeg", "image"),
    (samples.picture(kind="GIF"), "image/gif", "image"),
    (samples.picture(kind="BMP"), "image/bmp", "image"),
    (_webp(), "image/webp", "image"),
    (samples.MP4, "video/mp4", "video"),
    (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime", "video"),
    (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4", "file"),
    (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm", "video/webm", "file"),
    (samples.VOICE, "audio/x-silk", "file"),
    (_wav(), "audio/wav", "file"),
    (b"ID3\x04" + bytes(20), "audio/mpeg", "file"),
    (b"\xff\xfb\x90\x64" + bytes(20), "audio/mpeg", "file"),
    (b"%PDF-1.7\n", "application/pdf", "file"),
    (b"PK\x03\x04" + bytes(20), "application/zip", "file"),
]


@pytest.mark.parametrize(("content", "content_type", "kind"), KNOWN, ids=[one[1] for one in KNOWN])
def test_known_files_are_recognised(content: bytes, content_type: str, kind: str) -> None:
    assert content_type_of(content[:HEAD_BYTES]) == content_type
    assert kind_of(content_type) == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"x", samples.HTML, samples.SVG, b"BMW is a car", b"\xff\xff\xff\xff", b"RIFF1234AVI "],
)
def test_everything_else_is_unknown_and_travels_as_a_file(content: bytes) -> None:
    assert content_type_of(content) == UNKNOWN
    assert kind_of(UNKNOWN) == "file"
