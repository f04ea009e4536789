"""The row with the team's settings, and the record of its changes. No behaviour.

Read it through `team_settings()` and write it through `change_settings()`, both in
`team_settings.limits`.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.people.models import User


class TeamSettingsRow(models.Model):
    """One row, with key 1. Its columns are the fields of `team_settings.limits.TeamSettings`."""

    window_hours = models.PositiveIntegerField(_("hours to reply"), default=24)
    replies_per_token = models.PositiveIntegerField(_("replies per message"), default=10)
    pace_count = models.PositiveIntegerField(_("replies at WeChat's pace"), default=12)
    pace_minutes = models.PositiveIntegerField(_("minutes of WeChat's pace"), default=5)
    warn_characters = models.PositiveIntegerField(_("long text from"), default=2_000)
    park_days = models.PositiveIntegerField(_("days that parked replies wait"), default=7)
    qr_minutes = models.PositiveIntegerField(_("minutes until a new QR code"), default=2)
    picture_mb = models.PositiveIntegerField(_("largest picture, MB"), default=20)
    voice_mb = models.PositiveIntegerField(_("largest voice message, MB"), default=20)
    video_mb = models.PositiveIntegerField(_("largest video, MB"), default=100)
    file_mb = models.PositiveIntegerField(_("largest file, MB"), default=100)
    total_gb = models.PositiveIntegerField(_("all media together, GB"), default=20)
    message_days = models.PositiveIntegerField(_("days that messages are kept"), default=0)
    media_days = models.PositiveIntegerField(_("days that files are kept"), default=0)
    raw_days = models.PositiveIntegerField(_("days that raw answers are kept"), default=14)
    api_requests_per_minute = models.PositiveIntegerField(
        _("API requests per minute"), default=6_000
    )

    class Meta:
        verbose_name = _("team settings")
        verbose_name_plural = _("team settings")

    def __str__(self) -> str:
        return str(_("team settings"))


class SettingChange(models.Model):
    """One change of a setting. Never edited."""

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    who = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    name = models.CharField(_("setting"), max_length=40)
    before = models.CharField(_("before"), max_length=80)
    after = models.CharField(_("after"), max_length=80)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("change of a setting")
        verbose_name_plural = _("changes of settings")

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.after}"
