"""Makes thumbnails with Pillow, in the helper process. Decoding is the real check of a picture."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, ImageChops, ImageFile, ImageOps

from messaging.media import mending
from messaging.media.mending import Mended

THUMB_PIXELS = 640
LOGO_PIXELS = 192
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_SIDE_MOST = 30_000
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_TAIL_BYTES = 64
_GREY = (128, 128, 128)


class NotAPicture(Exception):  # noqa: N818 - a statement
    """The bytes do not decode as a supported picture."""


class TooLittle(Exception):  # noqa: N818
    """The data starts as a picture and ends before the first pixel."""


class TooManyPixels(Exception):  # noqa: N818
    """Decoding the picture would take too much memory."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The picture's own size, after its EXIF rotation. `is_incomplete`: a part is missing."""

    width: int
    height: int
    is_incomplete: bool = False


def make_thumbnail(source: Path, target: Path, *, most_pixels: int) -> Thumbnail:
    """Write a WebP of at most 640 px, rotated as EXIF says, of the part that is there.

    Raises NotAPicture, TooLittle, TooManyPixels.
    """
    Image.MAX_IMAGE_PIXELS = most_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return _decode_whole(source, target, most_pixels)
            except (Image.DecompressionBombError, MemoryError, TooManyPixels):
                raise
            except Exception as error:
                return _decode_part(source.read_bytes(), target, most_pixels, error)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise TooManyPixels from error


def make_logo(source: Path, target: Path, *, most_pixels: int) -> Thumbnail:
    """Write a WebP of at most 192 px. A damaged picture is not repaired: there is a better file.

    Raises NotAPicture, TooManyPixels.
    """
    Image.MAX_IMAGE_PIXELS = most_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _opened(source, most_pixels) as picture:
                return _save(picture, target, side=LOGO_PIXELS)
    except (Image.DecompressionBombError, MemoryError, TooManyPixels) as error:
        raise TooManyPixels from error
    except Exception as error:
        raise NotAPicture from error


def _decode_whole(source: Path, target: Path, most_pixels: int) -> Thumbnail:
    with _opened(source, most_pixels) as picture:
        thumbnail = _save(picture, target)
    return thumbnail if _ends_well(source) else _as_incomplete(thumbnail)


def _ends_well(source: Path) -> bool:
    """Check the end marker first, which is cheap; read the whole file only if it is missing."""
    with source.open("rb") as file:
        start = file.read(4)
        file.seek(max(0, source.stat().st_size - _TAIL_BYTES))
        tail = file.read().rstrip(b"\0")
    if start == b"GIF8":
        return tail.endswith(b";") or not mending.lacks_frames(source.read_bytes())
    return start != b"\x89PNG" or b"IEND" in tail or not mending.lacks_frames(source.read_bytes())


def _decode_part(data: bytes, target: Path, most_pixels: int, why: Exception) -> Thumbnail:
    """Decode what can be decoded of a damaged picture."""
    found = mending.mended(data)
    try:
        if found is not None:
            return _decode_mended(found, target, most_pixels)
    except (Image.DecompressionBombError, MemoryError, TooManyPixels, TooLittle):
        raise
    except Exception as error:
        why = error
    raise TooLittle if mending.is_begun(data) else NotAPicture from why


def _decode_mended(found: Mended, target: Path, most_pixels: int) -> Thumbnail:
    with _accepting_truncation(), _opened(io.BytesIO(found.data), most_pixels) as picture:
        gap = _first_missing_row(picture, found, most_pixels)
        if gap is not None and found.leaves_gap:
            if gap == 0:
                raise TooLittle
            return _as_incomplete(_save(_with_grey_gap(picture, gap), target))
        thumbnail = _save(picture, target)
    return _as_incomplete(thumbnail) if found.lacks or gap is not None else thumbnail


def _first_missing_row(picture: Image.Image, found: Mended, most_pixels: int) -> int | None:
    """The first row that depends on the filling; None if there is no such row."""
    if found.other is None:
        return None
    try:
        with _opened(io.BytesIO(found.other), most_pixels) as other:
            differing = ImageChops.difference(_as_rgb(picture), _as_rgb(other))
    except (OSError, SyntaxError, ValueError):
        return 0 if found.leaves_gap else picture.height
    box = differing.getbbox()
    return box[1] if box else None


def _as_rgb(picture: Image.Image) -> Image.Image:
    """The picture itself if it is RGB already, to save memory."""
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _with_grey_gap(picture: Image.Image, from_row: int) -> Image.Image:
    """Paint the missing rows grey."""
    made = picture.convert("RGB")
    made.paste(_GREY, (0, from_row, made.width, made.height))
    exif = picture.getexif()
    if _ORIENTATION in exif:
        made.getexif()[_ORIENTATION] = exif[_ORIENTATION]
    return made


@contextlib.contextmanager
def _accepting_truncation() -> Iterator[None]:
    """Let Pillow accept truncated data. Affects the whole process, which does one job at a time."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _opened(source: Path | IO[bytes], most_pixels: int) -> Image.Image:
    """Open a picture without decoding it. Raises TooManyPixels."""
    picture = Image.open(source, formats=FORMATS)
    width, height = picture.size
    if width * height > most_pixels or max(width, height) > _SIDE_MOST:
        picture.close()
        raise TooManyPixels
    return picture


def _save(picture: Image.Image, target: Path, *, side: int = THUMB_PIXELS) -> Thumbnail:
    width, height = picture.size
    is_turned = picture.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
    picture.draft("RGB", (side, side))
    small: Image.Image = picture
    if picture.mode not in ("RGB", "RGBA"):
        small = picture.convert("RGBA" if _has_alpha(picture) else "RGB")
    small.thumbnail((side, side))
    ImageOps.exif_transpose(small).save(target, "WEBP", quality=80, method=2)
    return Thumbnail(height, width) if is_turned else Thumbnail(width, height)


def _as_incomplete(thumbnail: Thumbnail) -> Thumbnail:
    return Thumbnail(thumbnail.width, thumbnail.height, is_incomplete=True)


def _has_alpha(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info
