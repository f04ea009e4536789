"""Idempotency keys of the HTTP API: a repeated post gets the first answer, not a new message."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PostedKey(models.Model):
    """One idempotency key of one user. `digest`: hash of the first body posted with it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(_("key"), max_length=200)
    digest = models.CharField(max_length=64)
    answer = models.JSONField(_("answer"), default=dict)
    created_at = models.DateTimeField(_("posted"), default=timezone.now)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="posted_key_once")]

    def __str__(self) -> str:
        return self.key
