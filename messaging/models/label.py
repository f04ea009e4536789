"""Labels that a team puts on conversations, in one of the eight account colours."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models import Team
from sessions_app.text.unseen import visible


class Label(models.Model):
    """Belongs to one team. Labels of the same name in two teams are one filter."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="labels", verbose_name=_("team")
    )
    name = models.CharField(_("name"), max_length=40)
    colour = models.PositiveSmallIntegerField(_("colour"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="label_once")]

    def __str__(self) -> str:
        return visible(self.name)
