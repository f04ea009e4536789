"""What is left of deleted data: hashes of forgotten people, removed conversations, positions."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models import Team


class ForgettingKey(models.Model):
    """One row, with key 1: the key of the hashes in `Forgotten`, encrypted.

    It never changes, as the hashes could not be compared any more. `last_at`: when somebody was
    last forgotten.
    """

    encrypted_key = models.TextField(_("key, encrypted"))
    last_at = models.DateTimeField(_("last used"), default=timezone.now)

    class Meta:
        verbose_name = _("key of hashes")
        verbose_name_plural = _("keys of hashes")

    def __str__(self) -> str:
        return str(_("key of hashes"))


class Forgotten(models.Model):
    """A keyed hash of a forgotten person's WeChat id, or of the id of one of their messages.

    `written_until_ms`: of a person: what they wrote until then is not stored again.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    written_until_ms = models.BigIntegerField(_("written until"), null=True, blank=True)

    class Meta:
        verbose_name = _("hash of a forgotten id")
        verbose_name_plural = _("hashes of forgotten ids")

    def __str__(self) -> str:
        return self.digest[:8]


class Removal(models.Model):
    """A conversation that was deleted, so that open pages remove its row. Kept for some days.

    `conversation_key`: the primary key that it had. `version`: from the team's stream.
    """

    conversation_key = models.BigIntegerField(_("conversation"), unique=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    removed_at = models.DateTimeField(_("deleted"), default=timezone.now)
    version = models.BigIntegerField(_("version"), default=0, editable=False)

    class Meta:
        verbose_name = _("deleted conversation")
        verbose_name_plural = _("deleted conversations")
        indexes = [models.Index(fields=["team", "version"], name="removal_changes")]

    def __str__(self) -> str:
        return str(self.conversation_key)


class SweepPosition(models.Model):
    """How far a job that deletes old rows has come: up to this primary key, in their order.

    So it needs no index by time on a large table.
    """

    job = models.CharField(_("job"), max_length=32, primary_key=True)
    last_key = models.BigIntegerField(_("up to"), default=0)

    class Meta:
        verbose_name = _("position of the sweep")
        verbose_name_plural = _("positions of the sweep")

    def __str__(self) -> str:
        return f"{self.job} {self.last_key}"
