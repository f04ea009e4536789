"""Limits on file sizes and on concurrent work, as one frozen value.

Administrators set some of them at `/settings/`; the others are fixed here.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings

from messaging.models import MessageKind
from sessions_app.team_settings.limits import TeamSettings, team_settings

MEGABYTE = 1024 * 1024
GIGABYTE = 1024 * MEGABYTE


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """`most_total_bytes`: above this the oldest files are deleted; their messages stay.

    A file must fit the limit of its kind (`of_kind`), and whatever its kind `most_file_bytes` when
    it comes in and `most_reply_file_bytes` when it goes out. `most_waiting_bytes`: one user's
    unsent uploads together.
    """

    picture_bytes: int = 20 * MEGABYTE
    voice_bytes: int = 20 * MEGABYTE
    video_bytes: int = 100 * MEGABYTE
    file_bytes: int = 100 * MEGABYTE
    most_file_bytes: int = 4_000 * MEGABYTE
    most_reply_file_bytes: int = 4_000 * MEGABYTE
    most_total_bytes: int = 20 * GIGABYTE
    most_files_per_reply: int = 9
    most_files_per_draft: int = 30
    """More than a reply may have, since files leave the draft only when the reply is sent."""
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
    draft_files_kept: timedelta = timedelta(days=30)
    """Since the draft's last change. A file without a draft is kept for `upload_kept`."""
    upload_good_for: timedelta = timedelta(hours=6)
    """How long a file uploaded to WeChat is used; after that it is uploaded again."""

    def of_kind(self, kind: str) -> int:
        """The size limit in bytes of a picture, voice, video or other file."""
        most = {
            MessageKind.IMAGE: self.picture_bytes,
            MessageKind.VOICE: self.voice_bytes,
            MessageKind.VIDEO: self.video_bytes,
        }
        return most.get(MessageKind(kind), self.file_bytes)

    def incoming(self, kind: str) -> int:
        return min(self.of_kind(kind), self.most_file_bytes)

    def outgoing(self, kind: str) -> int:
        return min(self.of_kind(kind), self.most_reply_file_bytes)

    @property
    def any_outgoing(self) -> int:
        """The limit while the kind is not known yet."""
        largest = max(self.picture_bytes, self.video_bytes, self.file_bytes)
        return min(largest, self.most_reply_file_bytes)


def limits() -> MediaLimits:
    """The limits now in force. May read the database: call it in a thread from an event loop."""
    return limits_by(team_settings())


def limits_by(team: TeamSettings) -> MediaLimits:
    """The team's limits; the setting `MEDIA_LIMITS` overrides single values."""
    chosen = replace(
        MediaLimits(),
        picture_bytes=team.picture_mb * MEGABYTE,
        voice_bytes=team.voice_mb * MEGABYTE,
        video_bytes=team.video_mb * MEGABYTE,
        file_bytes=team.file_mb * MEGABYTE,
        most_total_bytes=team.total_gb * GIGABYTE,
    )
    return replace(chosen, **getattr(settings, "MEDIA_LIMITS", {}))
