"""How long a server asks to be left alone, from its `Retry-After` header."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3_600.0
"""Nobody waits longer for a file or a reply, whatever the header says."""


def retry_after_s(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds between 0 and LONGEST_S; None when the header is missing or makes no sense.

    The header holds seconds or a date (RFC 9110, 10.2.3). `now`: epoch seconds.
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
