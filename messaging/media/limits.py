"""How large files may be and how much work runs at once: one frozen value, read in one place.

What administrators choose at `/settings/` comes from the team's row; the rest is the house's own.
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
    """`most_total_bytes`: beyond it the oldest files are cleared; their messages stay.

    A file is measured by its kind (`of_kind`), and by `most_file_bytes` when it comes in and
    `most_reply_file_bytes` when it goes out, whatever it is. `most_waiting_bytes`: of one
    person's files that were brought and not sent yet.
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
    """More than a reply may have: what is being sent leaves its draft only then."""
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
    """Since the last change of the draft; a file of no draft is kept for `upload_kept`."""
    upload_good_for: timedelta = timedelta(hours=6)
    """How long what lies at WeChat is trusted to be there still; then it is uploaded anew."""

    def of_kind(self, kind: str) -> int:
        """Bytes of the largest picture, voice, video or other file."""
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
        """Of whatever kind it turns out to be."""
        largest = max(self.picture_bytes, self.video_bytes, self.file_bytes)
        return min(largest, self.most_reply_file_bytes)


def limits() -> MediaLimits:
    """The limits of this moment. May ask the database: an event loop calls it in a thread."""
    return limits_by(team_settings())


def limits_by(team: TeamSettings) -> MediaLimits:
    """What the team chose; `MEDIA_LIMITS` of the settings replaces single ones."""
    chosen = replace(
        MediaLimits(),
        picture_bytes=team.picture_mb * MEGABYTE,
        voice_bytes=team.voice_mb * MEGABYTE,
        video_bytes=team.video_mb * MEGABYTE,
        file_bytes=team.file_mb * MEGABYTE,
        most_total_bytes=team.total_gb * GIGABYTE,
    )
    return replace(chosen, **getattr(settings, "MEDIA_LIMITS", {}))
