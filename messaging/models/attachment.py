"""Pictures, voices, videos and files of messages, and how to fetch or send them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.message import Message, MessageKind


class AttachmentState(models.TextChoices):
    REMOTE = "remote", _("at WeChat")
    FETCHING = "fetching", _("coming")
    STORED = "stored", _("here")
    FAILED = "failed", _("lost")


class StoredFile(models.Model):
    """A file in our storage, under unguessable names, and what is known about it.

    `content_type` is read from the bytes, never from the name. `thumb_name`: a thumbnail made here;
    without one the file is never shown as a picture. `sound_name`: the same sound in a format that
    browsers play. `is_incomplete`: the end is missing, and thumbnail and sound show what is there.
    `md5` of the bytes; while the file is not stored, the one that the message names.
    """

    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    size = models.BigIntegerField(_("size in bytes"), null=True, blank=True)
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    # Loudness over time, one base-36 digit per bar.
    peaks = models.CharField(max_length=64, blank=True)
    md5 = models.CharField(max_length=32, blank=True)
    stored_name = models.CharField(_("stored as"), max_length=100, blank=True)
    thumb_name = models.CharField(_("thumbnail"), max_length=100, blank=True)
    sound_name = models.CharField(_("sound to play"), max_length=100, blank=True)
    is_incomplete = models.BooleanField(_("incomplete"), default=False)
    # Including thumbnail and sound; counts towards the limit of all files together.
    stored_bytes = models.BigIntegerField(_("bytes kept"), default=0)

    class Meta:
        abstract = True

    def stored_names(self) -> list[str]:
        """All names in the storage that belong to this row."""
        return [name for name in (self.stored_name, self.thumb_name, self.sound_name) if name]


class Attachment(StoredFile):
    """A file of a message. `position` is its place there. `error` is a code of `media.reasons`.

    An incoming file goes remote → fetching → stored or failed. An outgoing file is stored from the
    start and uploaded while its message is queued; `encrypted_upload` is the key to the upload.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=MessageKind.choices)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=AttachmentState.choices,
        default=AttachmentState.REMOTE,
    )
    error = models.CharField(_("error"), max_length=400, blank=True)
    transcript = models.TextField(_("transcript"), blank=True)
    # The item as WeChat sent it, with CDN parameter and key. Encrypted, as the key opens the file.
    encrypted_item = models.TextField(_("item, encrypted"), blank=True, db_column="sealed_item")

    # State of the fetch or upload.
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    claimed_by = models.CharField(_("claimed by"), max_length=64, blank=True)
    stored_at = models.DateTimeField(_("stored"), null=True, blank=True)

    # Our upload at WeChat: valid for one binding of one session and for a limited time.
    encrypted_upload = models.TextField(
        _("upload, encrypted"), blank=True, db_column="sealed_upload"
    )
    uploaded_at = models.DateTimeField(_("uploaded"), null=True, blank=True)
    uploaded_generation = models.PositiveIntegerField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(_("uploaded, percent"), null=True, blank=True)

    class Meta:
        ordering = ["position"]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_place")
        ]
        indexes = [
            models.Index(
                fields=["state", "next_try_at"],
                name="attachment_to_fetch",
                condition=models.Q(state__in=["remote", "fetching"]),
            ),
            models.Index(
                fields=["stored_at"],
                name="attachment_oldest",
                condition=models.Q(stored_bytes__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name or self.kind
