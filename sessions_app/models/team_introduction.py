"""How a team introduces itself to people outside. No behaviour."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.people.models import Team, User


class TeamIntroduction(models.Model):
    """What the public pages say about a team; edited at `/settings/`.

    `logo`: a small WebP that was made here, never the bytes that somebody uploaded. It is kept in
    the row, so that a backup and a copy of the database hold it.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="introduction")
    name = models.CharField(_("name"), max_length=80, blank=True)
    text = models.TextField(_("text"), max_length=500, blank=True)
    logo = models.BinaryField(_("logo"), default=bytes, blank=True)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    changed_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("introduction of a team")
        verbose_name_plural = _("introductions of teams")

    def __str__(self) -> str:
        return self.name or str(self.team)
