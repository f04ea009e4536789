"""The app for bot sessions and people. Nothing starts here but the audit log's receivers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Hear of changed people, roles and teams, the admin's too; nothing else is done."""
        from sessions_app.audit import receivers

        receivers.connect()
