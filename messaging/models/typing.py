"""That a person is to see “typing …”, until somebody says so no more."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from sessions_app.models import Session


class Typing(models.Model):
    """At most one row per conversation, written by pages and the API, shown by the worker.

    Not renewed until `wanted_until`, the worker stops it and deletes the row: a forgotten stop
    never leaves the sign hanging. `shown_at`: WeChat was last told, and thus must be told to stop.
    """

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="typing"
    )
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    wanted_until = models.DateTimeField(_("wanted until"))
    shown_at = models.DateTimeField(_("told WeChat"), null=True, blank=True)

    class Meta:
        verbose_name = _("typing sign")
        verbose_name_plural = _("typing signs")
        indexes = [models.Index(fields=["shown_at"], name="typing_shown")]

    def __str__(self) -> str:
        return str(self.conversation_id)
