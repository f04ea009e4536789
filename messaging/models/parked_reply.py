"""Replies that cannot be sent now. They wait for the contact's next message and a click."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from messaging.models.message import Message


class ParkedState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    DISCARDED = "discarded", _("discarded")
    EXPIRED = "expired", _("expired")


class ParkedReply(models.Model):
    """Visible to the whole team. An agent reviews and sends it; `message` is the result."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="parked_replies"
    )
    text = models.TextField(_("text"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The key of the draft it was made from, so that a double click parks it once.
    draft_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(_("parked"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    state = models.CharField(
        _("state"), max_length=12, choices=ParkedState.choices, default=ParkedState.WAITING
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = _("reply to send when they write")
        verbose_name_plural = _("parked replies")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "draft_key"], name="parked_once")
        ]
        indexes = [
            models.Index(
                fields=["conversation", "expires_at"],
                name="parked_waiting",
                condition=models.Q(state="waiting"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.state}"
