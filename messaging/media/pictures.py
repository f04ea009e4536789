"""Thumbnails by Pillow; runs in the helper process. Decoding is the real check of a picture."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

THUMB_PIXELS = 640
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_SIDE_MOST = 30_000
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)


class NotAPicture(Exception):  # noqa: N818 - a statement
    """The bytes do not decode as any picture that we show."""


class TooManyPixels(Exception):  # noqa: N818
    """Decoding it would take more memory than a picture is worth."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The picture's own size, after its EXIF turn."""

    width: int
    height: int


def make_thumbnail(source: Path, target: Path, *, most_pixels: int) -> Thumbnail:
    """Write a WebP of at most 640 px, turned as EXIF says. Raises NotAPicture, TooManyPixels."""
    Image.MAX_IMAGE_PIXELS = most_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _thumbnail(source, target, most_pixels)
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except MemoryError as error:
        raise TooManyPixels from error
    except TooManyPixels:
        raise
    except Exception as error:
        raise NotAPicture from error


def _thumbnail(source: Path, target: Path, most_pixels: int) -> Thumbnail:
    with Image.open(source, formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > most_pixels or max(width, height) > _SIDE_MOST:
            raise TooManyPixels
        is_turned = picture.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        picture.draft("RGB", (THUMB_PIXELS, THUMB_PIXELS))
        small: Image.Image = picture
        if picture.mode not in ("RGB", "RGBA"):
            small = picture.convert("RGBA" if _has_alpha(picture) else "RGB")
        small.thumbnail((THUMB_PIXELS, THUMB_PIXELS))
        ImageOps.exif_transpose(small).save(target, "WEBP", quality=80, method=2)
    return Thumbnail(height, width) if is_turned else Thumbnail(width, height)


def _has_alpha(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info
