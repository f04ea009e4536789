"""One row of the audit log. It refers to nothing, so it survives whatever it names."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditLogKeptError(Exception):
    """Rows of the audit log are neither changed nor deleted."""

    def __init__(self) -> None:
        super().__init__("Rows of the audit log are neither changed nor deleted.")


class _Rows(models.QuerySet["AuditEntry"]):
    """Refuses what would change rows. The database refuses it, too, see `guard`."""

    def update(self, **values: Any) -> NoReturn:
        raise AuditLogKeptError

    def delete(self) -> NoReturn:
        raise AuditLogKeptError

    def bulk_update(self, objs: Iterable[Any], *args: Any, **options: Any) -> NoReturn:
        raise AuditLogKeptError


class AuditEntry(models.Model):
    """Who did what to what, from where. Written by `record` alone.

    `actor_name` is empty for the console itself and for visitors without a login. `details` are
    facts for the sentence, never secrets nor what customers wrote.
    """

    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    actor_id = models.BigIntegerField(_("id of the person"), null=True, blank=True)
    actor_name = models.CharField(_("person"), max_length=330, blank=True)
    token = models.CharField(_("API token"), max_length=100, blank=True)
    door = models.CharField(_("through"), max_length=16)
    address = models.CharField(_("address"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=40)
    object_kind = models.CharField(_("kind"), max_length=20, blank=True)
    object_id = models.CharField(_("id"), max_length=64, blank=True)
    object_name = models.CharField(_("name"), max_length=330, blank=True)
    team_id = models.BigIntegerField(_("id of the team"), null=True, blank=True)
    details = models.JSONField(_("details"), default=dict, encoder=DjangoJSONEncoder)

    objects = _Rows.as_manager()

    class Meta:
        app_label = "sessions_app"
        ordering = ["-pk"]
        verbose_name = _("entry of the audit log")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["actor_id", "id"], name="audit_by_actor"),
            models.Index(fields=["action", "id"], name="audit_by_action"),
            models.Index(fields=["team_id", "id"], name="audit_by_team"),
            models.Index(fields=["object_kind", "object_id", "id"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AuditLogKeptError
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AuditLogKeptError
