"""A file that somebody brought and has not sent yet; it becomes an attachment, or ends."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.attachment import StoredFile
from messaging.models.message import MessageKind


def fresh_id() -> str:
    return secrets.token_hex(16)


class Upload(StoredFile):
    """`kind`: how it would travel. Its owner alone may see and send it."""

    id = models.CharField(primary_key=True, max_length=32, default=fresh_id)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=12, choices=MessageKind.choices)
    created_at = models.DateTimeField(_("brought"), default=timezone.now)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [models.Index(fields=["created_at"], name="upload_oldest")]

    def __str__(self) -> str:
        return self.file_name or self.kind
