"""Models behind public addresses: scan links and invitations.

They have no behaviour; `links` and `invitations` write them. `models` imports this module, so it
must not import from there.
"""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.people.models import Team, User


def new_key() -> str:
    """A random key of 128 bits, because a public address must be unguessable."""
    return secrets.token_urlsafe(16)


class ScanLink(models.Model):
    """A public page with the QR code of one session, until it expires, is revoked or is used."""

    id = models.CharField(primary_key=True, max_length=32, default=new_key, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="scan_links")
    session = models.ForeignKey(
        "sessions_app.Session",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="scan_links",
    )
    session_name = models.CharField(_("session name"), max_length=64)
    attempt = models.ForeignKey(
        "sessions_app.LoginAttempt",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="scan_links",
    )
    made_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("good until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    # Limits how often a link can make WeChat create QR codes.
    started_at = models.DateTimeField(_("last code asked for"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("scan link")
        verbose_name_plural = _("scan links")

    def __str__(self) -> str:
        return f"{self.session_name} · {self.created_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """A public address, for example on a poster. Each visitor scans a session of their own.

    `made_by` is None once that member was deleted.
    """

    code = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    prefix = models.CharField(_("names begin with"), max_length=50)
    label = models.CharField(_("label"), max_length=80, blank=True)
    per_hour = models.PositiveIntegerField(_("codes per hour"), default=20)
    in_all = models.PositiveIntegerField(_("people in all"), default=200)
    made_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("good until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_number = models.PositiveIntegerField(_("last number given"), default=0)
    unscanned = models.PositiveIntegerField(_("codes that nobody scanned"), default=0)
    hour_began_at = models.DateTimeField(null=True, blank=True, editable=False)
    hour_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.prefix


class InvitationVisit(models.Model):
    """One visitor, identified by the key in their cookie. Deleted if nobody scanned."""

    id = models.CharField(primary_key=True, max_length=32, default=new_key, editable=False)
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="visits")
    attempt = models.ForeignKey(
        "sessions_app.LoginAttempt",
        on_delete=models.SET_NULL,
        null=True,
        related_name="invitation_visits",
    )
    session = models.ForeignKey(
        "sessions_app.Session",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="invitation_visits",
    )
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    came_at = models.DateTimeField(_("came"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("visit by invitation")
        verbose_name_plural = _("visits by invitation")

    def __str__(self) -> str:
        return f"{self.invitation_id} {self.created_at:%Y-%m-%d %H:%M}"
