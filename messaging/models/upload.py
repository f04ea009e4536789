"""Files that a user has uploaded and not sent yet. Sending turns an upload into an attachment.

An upload with a draft lives as long as the draft (see `messaging.composing.draft_files`), one
without a draft for a day.
"""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.attachment import StoredFile
from messaging.models.draft import Draft
from messaging.models.message import MessageKind


def fresh_id() -> str:
    return secrets.token_hex(16)


class Upload(StoredFile):
    """One uploaded file. Only its owner may see and send it. `kind`: how it would be sent.

    `place`: its position in its draft. If `stored_name` is empty, the bytes were deleted and the
    draft says so. An upload that loses its draft or its owner is deleted after a day.
    """

    id = models.CharField(primary_key=True, max_length=32, default=fresh_id)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    draft = models.ForeignKey(
        Draft, on_delete=models.SET_NULL, null=True, blank=True, related_name="files"
    )
    place = models.PositiveSmallIntegerField(_("place"), default=0)
    kind = models.CharField(_("kind"), max_length=12, choices=MessageKind.choices)
    created_at = models.DateTimeField(_("brought"), default=timezone.now)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [models.Index(fields=["created_at"], name="upload_oldest")]

    def __str__(self) -> str:
        return self.file_name or self.kind
