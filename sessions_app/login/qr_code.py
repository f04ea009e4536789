"""Draws a login's QR code."""

from collections.abc import Callable
from functools import lru_cache

import qrcode
from qrcode.image.svg import SvgPathFillImage

from sessions_app.models import LoginAttempt


def qr_svg(attempt: LoginAttempt) -> str:
    """The code as SVG text, black on white with its quiet zone; empty while there is none."""
    return _draw(attempt.qr_url) if attempt.qr_url else ""


@lru_cache(maxsize=64)
def _draw(text: str) -> str:
    picture: Callable[..., object] = SvgPathFillImage
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, image_factory=picture
    )
    code.add_data(text)
    code.make(fit=True)
    return str(code.make_image().to_string(encoding="unicode"))
