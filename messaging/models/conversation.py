"""The thread of one person with one home team, with what its list row needs."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.contact import Contact
from sessions_app.models import Session, Team


class Conversation(models.Model):
    """Unique per person and home team. Who may see it is decided by `team` alone."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    home_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="conversations")
    # The session that holds the newest context token: the route of a reply.
    session = models.ForeignKey(
        Session, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    closes_at = models.DateTimeField(_("replies until"), null=True, blank=True)
    replies_used = models.PositiveIntegerField(_("replies used"), default=0)
    unread = models.PositiveIntegerField(_("unread"), default=0)
    # Everything up to this message id was seen by an agent.
    read_up_to = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(_("last message"), default=timezone.now)
    last_direction = models.CharField(max_length=3, blank=True)
    last_kind = models.CharField(max_length=12, blank=True)
    last_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    version = models.BigIntegerField(_("version"), default=0, editable=False)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.UniqueConstraint(fields=["contact", "home_team"], name="thread_per_person")
        ]
        indexes = [
            models.Index(fields=["team", "-last_at", "-id"], name="conversation_newest"),
            models.Index(fields=["team", "version"], name="conversation_changes"),
            models.Index(fields=["closes_at"], name="conversation_closing"),
            models.Index(fields=["replies_used"], name="conversation_replies"),
        ]

    def __str__(self) -> str:
        return str(self.contact)
