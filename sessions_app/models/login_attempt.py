"""Login attempts: a QR code from the request to the confirmed scan."""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.models.session import Session
from sessions_app.people.models import Team, User


class LoginState(models.TextChoices):
    WAITING = "waiting", _("waiting for the scan")
    SCANNED = "scanned", _("scanned")
    VERIFY_CODE_REQUIRED = "verify_code_required", _("digits wanted")
    VERIFY_CODE_WRONG = "verify_code_wrong", _("digits wrong")
    VERIFY_CODE_BLOCKED = "verify_code_blocked", _("too many wrong digits")
    REFRESHED = "refreshed", _("new code shown")
    EXPIRED = "expired", _("given up")
    ALREADY_CONNECTED = "already_connected", _("already connected")
    OTHER_ACCOUNT = "other_account", _("another WeChat account")
    CONFIRMED = "confirmed", _("connected")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


FINAL_LOGIN_STATES = (
    LoginState.EXPIRED,
    LoginState.ALREADY_CONNECTED,
    LoginState.OTHER_ACCOUNT,
    LoginState.CONFIRMED,
    LoginState.FAILED,
    LoginState.CANCELLED,
)


def new_login_id() -> str:
    """A random id of 128 bits, because a login id that a browser holds must be unguessable."""
    return secrets.token_urlsafe(16)


class LoginAttempt(models.Model):
    """One QR login. The worker drives it; any number of browsers may watch it."""

    id = models.CharField(primary_key=True, max_length=32, default=new_login_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="login_attempts")
    session = models.ForeignKey(
        Session, on_delete=models.SET_NULL, null=True, blank=True, related_name="login_attempts"
    )
    session_name = models.CharField(_("session name"), max_length=64)
    started_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="login_attempts"
    )
    status = models.CharField(
        _("status"), max_length=24, choices=LoginState.choices, default=LoginState.WAITING
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    qrcode = models.TextField(_("handle to poll with"), blank=True)
    qr_url = models.TextField(_("text of the QR code"), blank=True)
    qr_number = models.PositiveSmallIntegerField(_("codes drawn"), default=0)
    poll_url = models.CharField(_("address polled"), max_length=400, blank=True)
    verify_code = models.CharField(_("digits to send"), max_length=16, blank=True)
    wants_new_code = models.BooleanField(_("a new code is wanted"), default=False)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_detail = models.CharField(_("error detail"), max_length=400, blank=True)
    encrypted_result = models.TextField(
        _("credentials of another account, encrypted"), blank=True, db_column="sealed_result"
    )
    created_at = models.DateTimeField(_("started"), default=timezone.now)
    expires_at = models.DateTimeField(_("code good until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    lease_owner = models.CharField(_("driven by"), max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("login attempt")
        verbose_name_plural = _("login attempts")
        indexes = [models.Index(fields=["finished_at", "lease_owner"], name="login_to_drive")]

    def __str__(self) -> str:
        return f"{self.session_name} · {self.status}"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_LOGIN_STATES
