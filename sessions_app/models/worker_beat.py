"""Heartbeats of the workers."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WorkerBeat(models.Model):
    """A running worker and its last heartbeat. Pages show when there is none."""

    worker_id = models.CharField(primary_key=True, max_length=64)
    host = models.CharField(_("host"), max_length=255)
    pid = models.PositiveIntegerField(_("process"))
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    heard_at = models.DateTimeField(_("heard"), default=timezone.now, db_index=True)
    # What its process has counted, packed by `monitoring.snapshots`, for `/metrics`.
    numbers = models.BinaryField(default=bytes, blank=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
