"""What the audit log has, as tests ask for it."""

from sessions_app.models import AuditEntry
from sessions_app.recording.actions import Action


def entries(*actions: Action) -> list[AuditEntry]:
    """The entries of these actions, oldest first."""
    return list(AuditEntry.objects.filter(action__in=actions).order_by("pk"))


def only(action: Action) -> AuditEntry:
    [entry] = entries(action)
    return entry
