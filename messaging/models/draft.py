"""What an agent has begun to write: per conversation, person and kind, kept on the server."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from sessions_app.models import Session


class DraftKind(models.TextChoices):
    REPLY = "reply", _("reply")
    NOTE = "note", _("note")


class Draft(models.Model):
    """Written by its owner's pages alone, never by an event. The message consumes it.

    `account`: the one that the Send button named when its writer last looked. `key`: what its
    message will be posted with; `number`: of its last change, so that two tabs do not overwrite
    each other silently. Its files are rows of `Upload`; `files_number` counts their changes on
    their own, so that a file that comes is no conflict for a text that is typed.
    `unneeded_since`: when the sweep first saw that its owner, who has files in it, may not answer.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    kind = models.CharField(
        _("kind"), max_length=5, choices=DraftKind.choices, default=DraftKind.REPLY
    )
    text = models.TextField(_("text"), blank=True)
    account = models.ForeignKey(
        Session, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    key = models.CharField(max_length=64)
    number = models.PositiveIntegerField(_("changes"), default=0)
    files_number = models.PositiveIntegerField(_("changes of its files"), default=0)
    unneeded_since = models.DateTimeField(
        _("its writer may not answer since"), null=True, blank=True
    )
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "user", "kind"], name="one_draft")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.conversation_id}"
