"""Actions on conversations, kept for a few minutes so that they can be undone."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models.conversation import Conversation
from messaging.models.message import EventCode


class WorkAction(models.Model):
    """One action on any number of conversations. Only the user who did it may undo it.

    `undone_count`: conversations that undoing restored; `kept_count`: those that it left alone,
    since somebody had changed them meanwhile.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(_("action"), max_length=24, choices=EventCode.choices)
    created_at = models.DateTimeField(_("done"), default=timezone.now)
    undone_count = models.PositiveIntegerField(_("undone"), default=0)
    kept_count = models.PositiveIntegerField(_("kept"), default=0)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")

    def __str__(self) -> str:
        return f"{self.code} by {self.user_id}"


class WorkChange(models.Model):
    """One conversation's change by an action. Undoing deletes the row, so it happens once.

    `before`, `after`: only the fields that differ (see `undo_notes`). `number`: the newest message
    id at that time; an event with a higher id came later.
    """

    action = models.ForeignKey(WorkAction, on_delete=models.CASCADE, related_name="changes")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))
    number = models.BigIntegerField(_("number"))

    class Meta:
        verbose_name = _("changed conversation")
        verbose_name_plural = _("changed conversations")
        constraints = [
            models.UniqueConstraint(fields=["action", "conversation"], name="work_change_once")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} by {self.action_id}"
