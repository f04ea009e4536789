"""Pictures and voices that real lines bring: cut, padded, or with something behind their end."""

import io
from collections.abc import Sequence

from PIL import Image

from messaging.media.silk_frames import frames_of
from tests.messaging.media import samples

SILK_HEAD = b"\x02#!SILK_V3"


def frames(seconds: float = 3.0) -> list[bytes]:
    """Of a voice; 20 ms each."""
    found = frames_of(samples.silk(seconds))
    assert found is not None
    return found.frames


def voice(parts: Sequence[bytes], *, head: bytes = SILK_HEAD, tail: bytes = b"") -> bytes:
    return head + b"".join(len(one).to_bytes(2, "little") + one for one in parts) + tail


def textured(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """No two places look alike, and no row is empty."""
    size = (width, height)
    noise = [Image.effect_noise(size, 60) for _ in range(2)]
    ramp = Image.linear_gradient("L").resize(size).point(lambda level: 40 + level * 3 // 4)
    return Image.merge("RGB", (noise[0], ramp, noise[1])).convert(mode)


def encoded(picture: Image.Image, kind: str, *, frames: int = 1, **options: object) -> bytes:
    out = io.BytesIO()
    if frames > 1:
        more = [picture.rotate(90 * number) for number in range(1, frames)]
        options = {**options, "save_all": True, "append_images": more}
    picture.save(out, kind, **options)
    return out.getvalue()


def pictures() -> dict[str, bytes]:
    """Every kind that is shown, in the ways that it is written."""
    return {
        "jpeg": encoded(textured(), "JPEG"),
        "jpeg progressive": encoded(textured(), "JPEG", progressive=True),
        "jpeg with restarts": encoded(textured(), "JPEG", restart_marker_rows=1),
        "jpeg grey": encoded(textured(mode="L"), "JPEG", quality=95),
        "png": encoded(textured(), "PNG"),
        "png palette": encoded(textured(mode="P"), "PNG"),
        "gif": encoded(textured(mode="P"), "GIF", interlace=0),
        "webp": encoded(textured(), "WEBP"),
        "webp lossless": encoded(textured(), "WEBP", lossless=True),
        "webp with alpha": encoded(textured(mode="RGBA"), "WEBP"),
        "bmp": encoded(textured(), "BMP"),
        "bmp palette": encoded(textured(mode="P"), "BMP"),
    }
