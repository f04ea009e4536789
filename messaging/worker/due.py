"""What comes by the clock alone: the snoozed that are due, and the 24 hours that are over.

The worker looks every second; a bounded number each time, the rest a second later.
"""

from datetime import datetime

from django.db.models import F

from messaging.conversations import rows, work
from messaging.inbox.lists import WAITS
from messaging.models import Conversation, ConversationStatus
from sessions_app.realtime.streams import announcing

AT_ONCE = 200


def look(now: datetime) -> int:
    """Wake what is due and close what can be answered no more; how many were changed."""
    return _wake(now) + _close_unanswered(now)


def _wake(now: datetime) -> int:
    due = Conversation.objects.filter(status=ConversationStatus.SNOOZED, snoozed_until__lte=now)
    ids = list(due.order_by("snoozed_until").values_list("pk", flat=True)[:AT_ONCE])
    return work.wake(ids=ids, now=now) if ids else 0


def _close_unanswered(now: datetime) -> int:
    """The customer waited to the end: missed, wherever it was put since."""
    over = Conversation.objects.filter(WAITS, closes_at__lte=now)
    ids = list(over.order_by("closes_at").values_list("pk", flat=True)[:AT_ONCE])
    if not ids:
        return 0
    with announcing() as change:
        conversations = rows.lock_many(over.filter(pk__in=ids))
        Conversation.objects.filter(pk__in=[one.pk for one in conversations]).update(
            missed_at=F("closes_at")
        )
        for conversation in conversations:
            rows.touch(change, conversation)
    return len(conversations)
