"""How large files may be and how much work runs at once: one frozen value, read in one place."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """`most_total_bytes`: beyond it the oldest files are cleared; their messages stay.

    `most_waiting_bytes`: of one person's files that were brought and not sent yet.
    """

    most_file_bytes: int = 200 * MEGABYTE
    most_reply_file_bytes: int = 100 * MEGABYTE
    most_total_bytes: int = 20 * 1024 * MEGABYTE
    most_files_per_reply: int = 9
    most_waiting_bytes: int = 1024 * MEGABYTE
    most_thumb_bytes: int = 4 * MEGABYTE
    most_silk_bytes: int = 2 * MEGABYTE
    most_voice_s: int = 600
    most_pixels: int = 64_000_000
    fetches_at_once: int = 4
    fetches_per_session: int = 2
    uploads_at_once: int = 3
    fetch_deadline_s: float = 300.0
    workshop_timeout_s: float = 30.0
    upload_kept: timedelta = timedelta(hours=24)
    upload_good_for: timedelta = timedelta(hours=6)
    """How long what lies at WeChat is trusted to be there still; then it is uploaded anew."""


def limits() -> MediaLimits:
    """The limits of this moment; `MEDIA_LIMITS` of the settings replaces single ones."""
    return MediaLimits(**getattr(settings, "MEDIA_LIMITS", {}))
