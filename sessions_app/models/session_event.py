"""The history of a session."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import Session, SessionState
from sessions_app.people.models import User


class SessionEvent(models.Model):
    """One change of a session: when, what, who and why. Never edited."""

    class Kind(models.TextChoices):
        BOUND = "bound", _("bound by a scan")
        STATE = "state", _("state changed")
        RENAMED = "renamed", _("renamed")
        LOGGED_OUT = "logged_out", _("logged out")
        STRAY = "stray", _("an answer could not be read")
        BROKE_OFF = "broke_off", _("an answer broke off")
        THROTTLED = "throttled", _("replies held back")
        FLOWING = "flowing", _("replies go again")
        DELETED = "deleted", _("deleted")

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), default=timezone.now)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    who = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(_("state"), max_length=20, blank=True, choices=SessionState.choices)
    code = models.CharField(_("reason code"), max_length=40, blank=True)
    detail = models.CharField(_("detail"), max_length=400, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("session event")
        verbose_name_plural = _("session events")
        indexes = [models.Index(fields=["session", "-at"], name="event_newest")]

    def __str__(self) -> str:
        return f"{self.session_id} {self.kind} {self.state}"
