"""A picture, voice, video or file of a message, with what is needed to fetch it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.message import Message, MessageKind


class AttachmentState(models.TextChoices):
    REMOTE = "remote", _("at WeChat")
    FETCHING = "fetching", _("coming")
    STORED = "stored", _("here")
    FAILED = "failed", _("lost")


class Attachment(models.Model):
    """`position` is the item's place in its message. Bytes are fetched by a later stage."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=MessageKind.choices)
    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    size = models.BigIntegerField(_("size in bytes"), null=True, blank=True)
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=AttachmentState.choices,
        default=AttachmentState.REMOTE,
    )
    error = models.CharField(_("error"), max_length=400, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    transcript = models.TextField(_("transcript"), blank=True)
    # The item as it came: CDN parameter and key, sealed, since the key opens the file.
    sealed_item = models.TextField(_("item, sealed"), blank=True)

    class Meta:
        ordering = ["position"]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_place")
        ]

    def __str__(self) -> str:
        return self.file_name or self.kind
