"""The thread of one person with one home team, with what its list row needs."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.contact import Contact
from messaging.models.label import Label
from sessions_app.models import Session, Team

ELSEWHERE = "elsewhere"
"""`last_kind` of a thread whose last word another program has, and no text of it."""


class ConversationStatus(models.TextChoices):
    OPEN = "open", _("open")
    SNOOZED = "snoozed", _("snoozed")
    RESOLVED = "resolved", _("resolved")


COUNTED_OF_WAITING = ("status", "closes_at", "session", "assignee", "missed_at")


class Conversation(models.Model):
    """Unique per person and home team. Who may see it is decided by `team` alone.

    `waiting_since`: the customer's first word that nobody has answered yet, None when they were
    answered. `missed_at`: it was closed unanswered, by an agent or by the end of the 24 hours.
    `not_sent`: replies that did not go through and that nobody decided about, with those they
    hold. What counts as an answer: `standing`.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    home_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    # No index of its own, like session and assignee: those below begin with it.
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="conversations", db_index=False
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=ConversationStatus.choices,
        default=ConversationStatus.OPEN,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="conversations",
        verbose_name=_("assigned to"),
        db_index=False,
    )
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    missed_at = models.DateTimeField(_("closed unanswered"), null=True, blank=True)
    not_sent = models.PositiveIntegerField(_("replies not sent"), default=0)
    labels = models.ManyToManyField(
        Label, related_name="conversations", blank=True, verbose_name=_("labels")
    )
    # The session that holds the newest context token: the route of a reply.
    session = models.ForeignKey(
        Session,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
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
            models.Index(fields=["team", "closes_at", "id"], name="conversation_soonest"),
            models.Index(
                fields=["team", "status", "-last_at", "-id"], name="conversation_by_status"
            ),
            models.Index(fields=["session", "-last_at", "-id"], name="conversation_of_session"),
            models.Index(
                fields=["assignee", "-last_at", "-id"],
                name="conversation_of_agent",
                condition=models.Q(assignee__isnull=False),
            ),
            models.Index(
                fields=["assignee", "status", "-last_at", "-id"],
                name="conversation_mine",
                condition=models.Q(status="open", assignee__isnull=False),
            ),
            models.Index(
                fields=["team", "status", "-last_at", "-id"],
                name="conversation_unassigned",
                condition=models.Q(status="open", assignee__isnull=True),
            ),
            models.Index(
                # All after the id so that counting them reads no row.
                fields=["team", "waiting_since", "id", *COUNTED_OF_WAITING],
                name="conversation_waiting",
                condition=models.Q(waiting_since__isnull=False, missed_at__isnull=True),
            ),
            models.Index(
                fields=["team", "-last_at", "-id"],
                name="conversation_missed",
                condition=models.Q(missed_at__isnull=False),
            ),
            models.Index(
                fields=["team", "-last_at", "-id"],
                name="conversation_not_sent",
                condition=models.Q(not_sent__gt=0),
            ),
            models.Index(
                # With the number itself: SQLite would read each row to look at it.
                fields=["team", "unread"],
                name="conversation_unread",
                condition=models.Q(unread__gt=0),
            ),
            models.Index(
                fields=["closes_at"],
                name="conversation_to_miss",
                condition=models.Q(waiting_since__isnull=False, missed_at__isnull=True),
            ),
            models.Index(
                fields=["snoozed_until"],
                name="conversation_to_wake",
                condition=models.Q(snoozed_until__isnull=False),
            ),
            models.Index(fields=["replies_used"], name="conversation_replies"),
        ]

    def __str__(self) -> str:
        return str(self.contact)
