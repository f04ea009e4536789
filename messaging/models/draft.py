"""Drafts, stored on the server: one per conversation, user and kind."""

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
    """The text and files that a user has not sent yet. Posting the message deletes the draft.

    `account`: the account that the Send button named when the writer last looked. `key`: the
    message is posted with it. `number` counts changes, so that two tabs do not overwrite each other
    unnoticed. The files are rows of `Upload`; `files_number` counts their changes separately, so
    that a new file is no conflict for text that is being typed.
    `unneeded_since`: when the sweep first saw that the owner of a draft with files may not answer.
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
