"""Contexts: the tokens with which a session may reply to people."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.database.encryption import decrypt, encrypt
from sessions_app.models.session import Session


class Context(models.Model):
    """The newest context token that one person gave one session, and the replies sent with it.

    Mirrors an entry of `contexts.json` with the keys t, ts, sc, send_ts and first_seen.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="contexts")
    user_id = models.CharField(_("WeChat id"), max_length=200)
    encrypted_token = models.TextField(
        _("context token, encrypted"), blank=True, db_column="sealed_token"
    )
    received_at = models.DateTimeField(_("last message from the person"))
    replies_used = models.PositiveIntegerField(_("replies used"), default=0)
    last_reply_at = models.DateTimeField(_("last reply"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    refused_at = models.DateTimeField(_("refused by WeChat"), null=True, blank=True)
    # For the mirror: whether the entry must be written to contexts.json; the file's count as last
    # read or written; and the previous token's count, which a running SDK may still write (see
    # `tally`).
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
        """Store a new token with a full reply quota. `waiting`: queued replies that will use it."""
        self.token = token
        self.refused_at = None
        self.replies_used = waiting
        self.stale_count = self.filed_count or self.stale_count
        self.filed_count = 0

    @property
    def token(self) -> str:
        """The decrypted context token. Raises DecryptionError."""
        return decrypt(self.encrypted_token)

    @token.setter
    def token(self, value: str) -> None:
        self.encrypted_token = encrypt(value)
