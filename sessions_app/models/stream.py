"""Streams: numbered changes that pages follow."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stream(models.Model):
    """A counter without gaps, in commit order: its row lock lasts until the commit."""

    key = models.CharField(primary_key=True, max_length=64)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")

    def __str__(self) -> str:
        return f"{self.key} {self.last_number}"
