"""Sessions: each is one registration of the bot with one WeChat account."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.database.encryption import decrypt, encrypt
from sessions_app.people.models import Team

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


# The session has credentials that WeChat has not refused, so it may reply (contract, "Routing").
SENDING_STATES = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE, SessionState.PAUSED)


class Session(models.Model):
    """One registration of the bot with one WeChat account. History does not refer to `bot_id`."""

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
    encrypted_token = models.TextField(
        _("bot token, encrypted"), blank=True, db_column="sealed_token"
    )
    cursor = models.TextField(_("cursor"), blank=True)
    hold_ms = models.PositiveIntegerField(_("long poll, ms"), default=35_000)
    # Increases with every binding. Results of a poll or send of an earlier binding are discarded.
    generation = models.PositiveIntegerField(_("generation"), default=0)
    gives_receipts = models.BooleanField(_("answers sends with an id"), default=False)

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    bound_at = models.DateTimeField(_("bound"), null=True, blank=True)
    # Evidence of the current binding, read by `health`: the last answer of iLink itself, and the
    # last poll without one (connection error or gateway error).
    last_poll_at = models.DateTimeField(_("last good poll"), null=True, blank=True)
    failed_at = models.DateTimeField(_("last failed poll"), null=True, blank=True)
    # When a call was answered with -14 while it is unclear whether the session was signed out.
    doubted_at = models.DateTimeField(_("in doubt since"), null=True, blank=True)
    # WeChat throttles the whole bot: no reply is sent before `throttled_until`.
    throttled_at = models.DateTimeField(_("replies held since"), null=True, blank=True)
    throttled_until = models.DateTimeField(_("replies held until"), null=True, blank=True)
    throttle_words = models.CharField(_("WeChat's words"), max_length=400, blank=True)
    throttle_count = models.PositiveSmallIntegerField(_("refused trials"), default=0)
    last_message_at = models.DateTimeField(_("last message in"), null=True, blank=True)
    last_sent_at = models.DateTimeField(_("last reply taken"), null=True, blank=True)

    # The worker that polls the session. The lease is valid while the worker's heartbeat is
    # (`leases`).
    lease_owner = models.CharField(_("polled by"), max_length=64, blank=True)
    # Grows with every claim. What a former holder writes about the session carries an older number
    # and is refused; messages are stored all the same.
    lease_number = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    label = models.CharField(_("label"), max_length=80, blank=True)
    # Deleted sessions are hidden and their name is free. The row stays, because messages refer to
    # it.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    # The folder's name and its token's digest when folder and row were last in sync (see `mirror`).
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
        """The decrypted bot token. Raises DecryptionError."""
        return decrypt(self.encrypted_token)

    @token.setter
    def token(self, value: str) -> None:
        self.encrypted_token = encrypt(value)

    @property
    def may_send(self) -> bool:
        return self.state in SENDING_STATES and bool(self.encrypted_token)
