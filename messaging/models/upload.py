"""A file that somebody brought and has not sent yet; it becomes an attachment, or ends.

Of a draft it lives as long as the draft (see `messaging.composing.draft_files`), of none for a day.
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
    """`kind`: how it would travel. Its owner alone may see and send it.

    `place`: its order among the files of its draft. Without `stored_name` the bytes are gone, and
    the draft says so. What lost its draft, or its owner, ends after a day.
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
