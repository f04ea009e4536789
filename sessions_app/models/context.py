"""Contexts: the token with which a session may answer a person."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sessions_app.database.encryption import decrypt, encrypt
from sessions_app.models.session import Session


class Context(models.Model):
    """The newest context token one person gave one session, and what was used of it.

    Mirror of one entry in `contexts.json`: t, ts, sc, send_ts, first_seen.
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
        """The context token in the clear. Raises DecryptionError."""
        return decrypt(self.encrypted_token)

    @token.setter
    def token(self, value: str) -> None:
        self.encrypted_token = encrypt(value)
