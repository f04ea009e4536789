"""The “typing …” sign on a contact's phone, until WeChat has confirmed that it is off."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from sessions_app.models import Session


class Typing(models.Model):
    """At most one row per conversation and session. Pages and the API write it.

    The worker shows the sign and ends it when it is not renewed before `wanted_until`. The row
    stays until WeChat has confirmed that the sign is off, so that a forgotten or failed stop never
    leaves it on the phone.
    `shown_at`: when WeChat was last told to show it; if set, WeChat must be told to end it.
    `next_stop_at`: the next attempt to end it, after `stop_tries` attempts.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="typing")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    wanted_until = models.DateTimeField(_("wanted until"))
    shown_at = models.DateTimeField(_("told WeChat"), null=True, blank=True)
    next_stop_at = models.DateTimeField(_("next attempt to end it"), null=True, blank=True)
    stop_tries = models.PositiveSmallIntegerField(_("attempts to end it"), default=0)

    class Meta:
        verbose_name = _("typing sign")
        verbose_name_plural = _("typing signs")
        indexes = [models.Index(fields=["shown_at"], name="typing_shown")]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "session"], name="typing_unique"),
        ]

    def __str__(self) -> str:
        return str(self.conversation_id)
