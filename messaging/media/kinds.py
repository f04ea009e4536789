"""Recognises a file's type from its first bytes, never from its name. No I/O."""

from collections.abc import Callable

HEAD_BYTES = 64
UNKNOWN = "application/octet-stream"
SILK = "audio/x-silk"

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"})
SOUNDS = frozenset({"audio/wav", "audio/mpeg", "audio/ogg", "audio/mp4", "audio/aac", "audio/flac"})
VIDEOS = frozenset({"video/mp4", "video/webm", "video/quicktime"})
UNPLAYED = frozenset({"audio/amr", "audio/x-speex"})
"""Voices that neither browsers nor this console can play: they are downloaded."""
SHOWN = PICTURES | SOUNDS | VIDEOS
"""Types that browsers may show; everything else is downloaded."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x02#!SILK_V3", SILK),
    (b"#!SILK_V3", SILK),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_SOUND_BRANDS = (b"M4A ", b"M4B ")
_VIDEO_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"dash")


def content_type_of(head: bytes) -> str:
    """The content type of a file that begins with `head` (HEAD_BYTES or fewer)."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    for recognise in _RECOGNISERS:
        if found := recognise(head):
            return found
    return UNKNOWN


def _riff(head: bytes) -> str:
    return _RIFF.get(head[8:12], "") if head.startswith(b"RIFF") else ""


def _boxes(head: bytes) -> str:
    """MP4 and relatives: a box `ftyp` names the format."""
    if head[4:8] != b"ftyp":
        return ""
    brand = head[8:12]
    if brand in _SOUND_BRANDS:
        return "audio/mp4"
    if brand == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if brand.startswith(_VIDEO_BRANDS) else ""


def _ogg(head: bytes) -> str:
    """Ogg. Speex uses the same container, but no browser plays it."""
    if not head.startswith(b"OggS"):
        return ""
    return "audio/x-speex" if b"Speex   " in head else "audio/ogg"


def _matroska(head: bytes) -> str:
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head else ""


def _mpeg_frames(head: bytes) -> str:
    """MP3 without a tag, or AAC, recognised by a frame's sync word."""
    if len(head) < 4 or head[0] != 0xFF:
        return ""
    if head[1] in (0xF1, 0xF9):
        return "audio/aac"
    is_layer_3 = head[1] & 0xE6 == 0xE2
    return "audio/mpeg" if is_layer_3 and head[2] >> 4 not in (0, 15) else ""


def _bitmap(head: bytes) -> str:
    """BMP. Two letters are too weak a sign, so the size of the second header is checked, too."""
    sizes = (12, 40, 52, 56, 64, 108, 124)
    is_bitmap = head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in sizes
    return "image/bmp" if is_bitmap else ""


_RECOGNISERS: tuple[Callable[[bytes], str], ...] = (
    _riff, _boxes, _ogg, _matroska, _mpeg_frames, _bitmap,
)  # fmt: skip


def kind_of(content_type: str) -> str:
    """How an outgoing file is sent: "image", "video", or "file".

    Sound is sent as a file: WeChat accepts voice messages from bots but never shows them (seen in
    live tests).
    """
    if content_type in PICTURES:
        return "image"
    return "video" if content_type in {"video/mp4", "video/quicktime"} else "file"
