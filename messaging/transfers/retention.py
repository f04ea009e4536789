"""Deletes old files: the oldest when all are too large, those too old, uploads that nobody sent."""

from datetime import datetime

from django.db.models import BooleanField, F, Func, Q, QuerySet, Sum

from messaging.media import storing
from messaging.models import Attachment, AttachmentState, MessageStatus, Upload
from messaging.transfers.downloads import settle

CLEARED_AT_ONCE = 100
_HAS_BYTES = Func(F("stored_bytes"), template="%(expressions)s > 0", output_field=BooleanField())
"""The condition of the index, written out: SQLite does not look at parameters."""


def bytes_kept() -> int:
    """Bytes of all attachments and unsent uploads."""
    return sum(
        rows.aggregate(total=Sum("stored_bytes"))["total"] or 0
        for rows in (Attachment.objects.all(), Upload.objects.all())
    )


def clear_oldest(most_bytes: int) -> int:
    """Delete the oldest files until the rest fits. Returns how many. Their messages stay.

    Files of messages that are queued or wait for a decision are kept.
    """
    over = bytes_kept() - most_bytes
    cleared = 0
    while over > 0:
        rows = list(_clearable()[:CLEARED_AT_ONCE])
        if not rows:
            break
        for row in rows:
            if over <= 0:
                break
            over -= row.stored_bytes
            cleared += clear(row)
    return cleared


def clear_older(before: datetime) -> int:
    """Delete some of the files stored before this moment, for good. Returns how many."""
    rows = _clearable().filter(_HAS_BYTES, stored_at__lt=before)
    return sum(clear(row, "too_old") for row in list(rows[:CLEARED_AT_ONCE]))


def _clearable() -> QuerySet[Attachment]:
    still_needed = Q(message__status__in=[MessageStatus.QUEUED, MessageStatus.SENDING])
    still_needed |= Q(message__holds_queue=True)
    rows = Attachment.objects.filter(stored_bytes__gt=0, stored_at__isnull=False)
    return rows.exclude(still_needed).order_by("stored_at")


def clear(attachment: Attachment, why: str = "cleared") -> int:
    """1 if the file was deleted. The row is changed first, the bytes go after the commit.

    `why`: a code of `media.reasons`. Only what was cleared to make room may be fetched again.
    """
    empty: dict[str, object] = {
        "stored_name": "", "thumb_name": "", "sound_name": "", "stored_bytes": 0
    }  # fmt: skip
    if why != "cleared":
        empty["encrypted_item"] = ""
    names = attachment.stored_names()
    done = settle(
        attachment.pk,
        {**empty, "state": AttachmentState.FAILED, "error": why, "stored_at": None},
        Q(state__in=[AttachmentState.STORED, AttachmentState.FAILED]),
    )
    if done:
        storing.remove(names)
    return int(done)


def end_uploads(before: datetime) -> int:
    """Delete uploads from before this moment that are in no draft."""
    ended = 0
    for row in Upload.objects.filter(created_at__lt=before, draft=None):
        names = row.stored_names()
        if Upload.objects.filter(pk=row.pk, draft=None).delete()[0]:
            storing.remove(names)
            ended += 1
    return ended
