"""Rows of the session side: sessions, contexts, login attempts, events, streams, workers.

No behaviour beyond reading one's own columns: writes live in `services`, `login` and the worker.
"""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.folder_models import Receiver, SharedFolder
from sessions_app.link_models import Invitation, InvitationVisit, ScanLink
from sessions_app.people.models import ApiToken, Team, User
from sessions_app.sealed import seal, unseal
from sessions_app.setting_models import SettingChange, TeamSettingsRow

__all__ = [
    "ApiToken",
    "Context",
    "Invitation",
    "InvitationVisit",
    "LoginAttempt",
    "LoginState",
    "QuarterHour",
    "Receiver",
    "ScanLink",
    "Session",
    "SessionEvent",
    "SessionState",
    "SettingChange",
    "SharedFolder",
    "Stream",
    "Team",
    "TeamSettingsRow",
    "User",
    "WorkerBeat",
]

ACCOUNT_COLOURS = 8


class SessionState(models.TextChoices):
    LOGGED_OUT = "logged_out", _("logged out")
    CONNECTING = "connecting", _("connecting")
    CONNECTED = "connected", _("receiving")
    POLLED_ELSEWHERE = "polled_elsewhere", _("received elsewhere")
    EXPIRED = "expired", _("signed out by WeChat")
    PAUSED = "paused", _("paused")
    FAILING = "failing", _("backing off")


POLLED_STATES = (SessionState.CONNECTING, SessionState.CONNECTED, SessionState.FAILING)
# Credentials that WeChat has not refused: replies may go (contract, "Routing").
SENDING_STATES = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE, SessionState.PAUSED)


class Session(models.Model):
    """One registration of the bot with one WeChat account. History never hangs on `bot_id`."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    name_key = models.CharField(max_length=400, unique=True, editable=False)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="sessions", verbose_name=_("team")
    )
    colour = models.PositiveSmallIntegerField(_("colour"), default=0)
    is_default = models.BooleanField(_("default"), default=False)

    state = models.CharField(
        _("state"), max_length=20, choices=SessionState.choices, default=SessionState.LOGGED_OUT
    )
    state_since = models.DateTimeField(_("since"), default=timezone.now)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_detail = models.CharField(_("error detail"), max_length=400, blank=True)
    errors_in_row = models.PositiveIntegerField(_("errors in a row"), default=0)
    next_poll_at = models.DateTimeField(_("next poll"), null=True, blank=True)

    bot_id = models.CharField(_("bot id"), max_length=200, blank=True, db_index=True)
    owner_id = models.CharField(_("owner's WeChat id"), max_length=200, blank=True, db_index=True)
    base_url = models.CharField(_("address"), max_length=400, blank=True)
    sealed_token = models.TextField(_("bot token, sealed"), blank=True)
    cursor = models.TextField(_("cursor"), blank=True)
    hold_ms = models.PositiveIntegerField(_("long poll, ms"), default=35_000)
    # Counts bindings: what a poll or a send of an earlier binding brings cannot touch this one.
    generation = models.PositiveIntegerField(_("generation"), default=0)
    gives_receipts = models.BooleanField(_("answers sends with an id"), default=False)

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    bound_at = models.DateTimeField(_("bound"), null=True, blank=True)
    last_poll_at = models.DateTimeField(_("last good poll"), null=True, blank=True)
    last_message_at = models.DateTimeField(_("last message in"), null=True, blank=True)
    last_sent_at = models.DateTimeField(_("last reply taken"), null=True, blank=True)

    # The worker that polls it; the lease holds while that worker's beat is heard (see `leases`).
    lease_owner = models.CharField(_("polled by"), max_length=64, blank=True)
    label = models.CharField(_("label"), max_length=80, blank=True)
    # Deleted for people: hidden and its name free. The row stays, since messages hang on it.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    # The folder's name and the digest of its token, as folder and row last agreed; see `mirror`.
    filed_name = models.CharField(_("folder"), max_length=64, blank=True)
    filed_token = models.CharField(max_length=32, blank=True, editable=False)
    version = models.BigIntegerField(_("version"), default=0, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [
            models.Index(fields=["state", "lease_owner"], name="session_to_poll"),
            models.Index(fields=["team", "version"], name="session_changes"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def token(self) -> str:
        """The bot token in the clear. Raises SealedError."""
        return unseal(self.sealed_token)

    @token.setter
    def token(self, value: str) -> None:
        self.sealed_token = seal(value)

    @property
    def may_send(self) -> bool:
        return self.state in SENDING_STATES and bool(self.sealed_token)


class Context(models.Model):
    """The newest context token one person gave one session, and what was used of it.

    Mirror of one entry in `contexts.json`: t, ts, sc, send_ts, first_seen.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="contexts")
    user_id = models.CharField(_("WeChat id"), max_length=200)
    sealed_token = models.TextField(_("context token, sealed"), blank=True)
    received_at = models.DateTimeField(_("last message from the person"))
    replies_used = models.PositiveIntegerField(_("replies used"), default=0)
    last_reply_at = models.DateTimeField(_("last reply"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    refused_at = models.DateTimeField(_("refused by WeChat"), null=True, blank=True)
    # The folder's copy (contexts.json) is to be written; its count as last read or written; and
    # the older token's count, which a running SDK may still write beside this token (`tally`).
    unfiled = models.BooleanField(_("not in the folder yet"), default=True)
    filed_count = models.PositiveIntegerField(_("replies by the folder"), default=0)
    stale_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("context")
        verbose_name_plural = _("contexts")
        constraints = [
            models.UniqueConstraint(fields=["session", "user_id"], name="context_per_person")
        ]
        indexes = [
            models.Index(fields=["user_id", "-received_at"], name="context_newest"),
            models.Index(
                fields=["session"], name="context_unfiled", condition=models.Q(unfiled=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.session_id}"

    def begin_token(self, token: str, *, waiting: int) -> None:
        """The person wrote: a new token, a new ten. `waiting`: replies that will go out on it."""
        self.token = token
        self.refused_at = None
        self.replies_used = waiting
        self.stale_count = self.filed_count or self.stale_count
        self.filed_count = 0

    @property
    def token(self) -> str:
        """The context token in the clear. Raises SealedError."""
        return unseal(self.sealed_token)

    @token.setter
    def token(self, value: str) -> None:
        self.sealed_token = seal(value)


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
    """128 bits: a login id that a browser holds must be unguessable."""
    return secrets.token_urlsafe(16)


class LoginAttempt(models.Model):
    """One QR login, driven by the worker and watched by any number of browsers."""

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
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_detail = models.CharField(_("error detail"), max_length=400, blank=True)
    sealed_result = models.TextField(_("credentials of another account, sealed"), blank=True)
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


class SessionEvent(models.Model):
    """One change of a session: when, what, who, why. Never edited."""

    class Kind(models.TextChoices):
        BOUND = "bound", _("bound by a scan")
        STATE = "state", _("state changed")
        RENAMED = "renamed", _("renamed")
        LOGGED_OUT = "logged_out", _("logged out")
        STRAY = "stray", _("an answer could not be read")
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


class QuarterHour(models.Model):
    """What polling showed of one session in a quarter of an hour, kept for a day."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="quarters")
    began_at = models.DateTimeField(_("began"), db_index=True)
    heard = models.BooleanField(_("WeChat answered a poll"), default=False)
    errors = models.PositiveIntegerField(_("failed polls"), default=0)

    class Meta:
        verbose_name = _("quarter of an hour")
        verbose_name_plural = _("quarters of an hour")
        constraints = [
            models.UniqueConstraint(fields=["session", "began_at"], name="quarter_per_session")
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.began_at:%H:%M}"


class Stream(models.Model):
    """A gapless counter in commit order: its row lock lasts until the commit."""

    key = models.CharField(primary_key=True, max_length=64)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")

    def __str__(self) -> str:
        return f"{self.key} {self.last_number}"


class WorkerBeat(models.Model):
    """A worker that lives, as last heard; the pages say so when none is."""

    worker_id = models.CharField(primary_key=True, max_length=64)
    host = models.CharField(_("host"), max_length=255)
    pid = models.PositiveIntegerField(_("process"))
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    heard_at = models.DateTimeField(_("heard"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
