"""Replies in data that was copied or restored: nobody knows whether they were sent."""

from messaging.delivering import outbox, queue
from messaging.models import Message


def doubt_restored() -> int:
    """Mark replies that wait or are being sent as unconfirmed. Returns how many there were.

    The data is older than WeChat's: the installation that it comes from may have sent them.
    """
    return outbox.disown(Message.objects.filter(queue.UNDER_WAY), code="restored")
