"""A picture, voice, video or file of a message, with what is needed to fetch or to send it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.message import Message, MessageKind


class AttachmentState(models.TextChoices):
    REMOTE = "remote", _("at WeChat")
    FETCHING = "fetching", _("coming")
    STORED = "stored", _("here")
    FAILED = "failed", _("lost")


class StoredFile(models.Model):
    """Bytes of ours in the storage, under names that nobody can guess, and what is in them.

    `content_type` is what the bytes say, never the name. `thumb_name`: a small picture made here;
    without one nothing is shown as a picture. `sound_name`: the same sound as browsers play it.
    `is_incomplete`: the end did not arrive, and these two show as much as there is. `md5` of the
    bytes; of a file that is not here, what the message says of it.
    """

    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    size = models.BigIntegerField(_("size in bytes"), null=True, blank=True)
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    # Loudness over time, one digit of base 36 per bar.
    peaks = models.CharField(max_length=64, blank=True)
    md5 = models.CharField(max_length=32, blank=True)
    stored_name = models.CharField(_("stored as"), max_length=100, blank=True)
    thumb_name = models.CharField(_("thumbnail"), max_length=100, blank=True)
    sound_name = models.CharField(_("sound to play"), max_length=100, blank=True)
    is_incomplete = models.BooleanField(_("incomplete"), default=False)
    # With thumbnail and sound, for the limit of all files together.
    stored_bytes = models.BigIntegerField(_("bytes kept"), default=0)

    class Meta:
        abstract = True

    def stored_names(self) -> list[str]:
        """Everything in the storage that belongs to this row."""
        return [name for name in (self.stored_name, self.thumb_name, self.sound_name) if name]


class Attachment(StoredFile):
    """`position` is the item's place in its message. `error` is a code of `media.reasons`.

    Fetched: remote → fetching → stored or failed. Ours are stored from the beginning and are
    uploaded while their message is queued; `encrypted_upload` is the key to what lies at WeChat.
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
    # The item as it came: CDN parameter and key, encrypted, since the key opens the file.
    encrypted_item = models.TextField(_("item, encrypted"), blank=True, db_column="sealed_item")

    # The work on it, fetching or uploading.
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    claimed_by = models.CharField(_("claimed by"), max_length=64, blank=True)
    stored_at = models.DateTimeField(_("stored"), null=True, blank=True)

    # Ours at WeChat: good for one binding of one session, and not for ever.
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
