"""Changes that time alone brings: snoozed conversations wake, unanswered reply windows end.

The worker looks every second and changes a limited number each time.
"""

from datetime import datetime

from django.db.models import F

from messaging.conversations import rows, snoozing
from messaging.inbox.lists import WAITS
from messaging.models import Conversation
from sessions_app.realtime.streams import announcing

AT_ONCE = 200


def look(now: datetime) -> int:
    """Wake snoozed conversations and mark missed ones. Returns how many changed."""
    return snoozing.wake_due(now, limit=AT_ONCE) + _close_unanswered(now)


def _close_unanswered(now: datetime) -> int:
    """Mark conversations as missed whose window ended while the contact waited."""
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
