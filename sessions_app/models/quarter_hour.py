"""Polling results per quarter of an hour, for the 24-hour bars."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import Session


class QuarterHour(models.Model):
    """Polling results of one session in one quarter of an hour. Kept for a day."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="quarters")
    began_at = models.DateTimeField(_("began"), db_index=True)
    heard = models.BooleanField(_("WeChat answered a poll"), default=False)
    errors = models.PositiveIntegerField(_("failed polls"), default=0)

    class Meta:
        verbose_name = _("quarter of an hour")
        verbose_name_plural = _("quarters of an hour")
        constraints = [
            models.UniqueConstraint(fields=["session", "began_at"], name="quarter_per_session")
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.began_at:%H:%M}"
