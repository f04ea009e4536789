"""Wakes snoozed conversations whose time has come. The choice of times is in `snooze_times`."""

from collections.abc import Collection
from datetime import datetime

from messaging.conversations.work import locked, reopen_locked
from messaging.models import Conversation, ConversationStatus
from sessions_app.realtime.streams import announcing


def wake_due(now: datetime, *, limit: int) -> int:
    """Wake at most `limit` conversations that are due. Returns how many were woken."""
    due = Conversation.objects.filter(status=ConversationStatus.SNOOZED, snoozed_until__lte=now)
    ids = list(due.order_by("snoozed_until").values_list("pk", flat=True)[:limit])
    return wake(ids=ids, now=now) if ids else 0


def wake(*, ids: Collection[int], now: datetime) -> int:
    """Wake snoozed conversations that are still due when they are locked."""
    with announcing() as change:
        due = [
            conversation
            for conversation in locked(ids)
            if conversation.snoozed_until is not None and conversation.snoozed_until <= now
        ]
        return reopen_locked(change, due, "woken", None)
