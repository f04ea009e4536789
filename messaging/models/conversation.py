"""All messages with one contact in one home team, and the columns that its list row needs."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.contact import Contact, TeamContact
from messaging.models.label import Label
from sessions_app.models import Session, Team
from sessions_app.text.unseen import visible

ELSEWHERE = "elsewhere"
"""`last_kind` when another program sent the last message and its text is unknown."""


class ConversationStatus(models.TextChoices):
    OPEN = "open", _("open")
    SNOOZED = "snoozed", _("snoozed")
    RESOLVED = "resolved", _("resolved")


COUNTED_OF_WAITING = ("status", "closes_at", "session", "assignee", "missed_at")


class Conversation(models.Model):
    """Unique per contact and home team. `team` alone decides who may see it.

    `waiting_since`: time of the contact's first unanswered message; None once answered.
    `missed_at`: when it was closed unanswered, by an agent or by the end of the 24 hours.
    `not_sent`: number of replies that were not sent and wait for a decision, and of those that they
    hold. `standing` defines what counts as an answer.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    home_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    # No index of its own, as for session and assignee: the indexes below start with it.
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="conversations", db_index=False
    )
    # A join without a column: the name and note that the team, whichever it is now, wrote.
    team_contact = models.ForeignObject(
        TeamContact,
        on_delete=models.DO_NOTHING,
        from_fields=["contact", "team"],
        to_fields=["contact", "team"],
        related_name="+",
        null=True,
        editable=False,
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
    # The session that holds the newest context token: a reply goes through it.
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
    # The highest message id that an agent has seen.
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
                # The extra columns allow counting from the index alone.
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
                # Includes the number, since SQLite would otherwise read each row for it.
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
        return self.contact_name

    @property
    def contact_name(self) -> str:
        """What the conversation's team calls the contact; invisible characters are made visible."""
        name = self.contact_words.name
        return visible(name) if name else self.contact.number_name

    @property
    def contact_initial(self) -> str:
        """The letter for the avatar: a Chinese surname or a first letter."""
        return self.contact_name[:1].upper()

    @property
    def contact_words(self) -> TeamContact:
        """The team's name and note for the contact; empty if nobody wrote any.

        A query, unless the row was read with `team_contact` beside it (`select_related`).
        """
        beside, found = self._state.fields_cache, None
        if "team_contact" in beside:
            found = beside["team_contact"]
        else:
            known = TeamContact.objects.filter(contact=self.contact_id, team=self.team_id)
            found = known.first()
        return found or TeamContact(contact_id=self.contact_id, team_id=self.team_id)
