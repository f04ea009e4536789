"""Lets messages be old, and runs a round of the sweep."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.retention.sweep import Sweep

OLD = timedelta(days=31)
LINA, BO = "lina@im.wechat", "bo@im.wechat"


def sweep() -> int:
    """A whole round. Returns the number of its steps."""
    one, steps = Sweep(), 1
    while one.step():
        steps += 1
    return steps


def age(days: int = 31, **which: Any) -> None:
    """Let these messages, and the conversations that end with them, be so old."""
    at = timezone.now() - timedelta(days=days)
    Message.objects.filter(**which).update(stored_at=at, created_at=at)
    for one in Conversation.objects.all():
        last = one.messages.order_by("-id").first()
        Conversation.objects.filter(pk=one.pk).update(last_at=last.stored_at if last else at)


def texts() -> list[str]:
    return list(Message.objects.order_by("id").values_list("text", flat=True))
