"""Parses the `Retry-After` header, by which a server asks for a pause."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3_600.0
"""In seconds. A longer pause in the header is shortened to this."""


def retry_after_s(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds between 0 and LONGEST_S, or None if the header is missing or invalid.

    The header contains seconds or a date (RFC 9110, 10.2.3). `now`: epoch seconds.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_S)
    try:
        at = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(0.0, at - (time.time() if now is None else now)), LONGEST_S)
