"""Records that a conversation left a team, so that the team's pages remove its row."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from sessions_app.models import Team


class Departure(models.Model):
    """The last time that a conversation left this team. `version`: from the team's stream."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="departures"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    left_at = models.DateTimeField(_("left"), default=timezone.now)
    version = models.BigIntegerField(_("version"), default=0, editable=False)

    class Meta:
        verbose_name = _("departure")
        verbose_name_plural = _("departures")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "team"], name="departure_once")
        ]
        indexes = [models.Index(fields=["team", "version"], name="departure_changes")]

    def __str__(self) -> str:
        return f"{self.conversation_id} left {self.team_id}"
