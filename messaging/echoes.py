"""A bot's own messages that come back in a poll, matched to ours by `client_id`.

An echo proves that WeChat took the message; it never makes a second bubble.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from messaging.models import Message, MessageStatus, SendAttempt
from sessions_app.realtime import Change

if TYPE_CHECKING:
    from messaging.inbound import Arrival

_OPEN = (MessageStatus.SENDING, MessageStatus.UNCONFIRMED)


def settle(arrivals: Sequence[Arrival], change: Change) -> set[str]:
    """Mark our own messages as taken; returns the dedupe keys that need no row of their own."""
    by_client = {one.wire.client_id: one for one in arrivals if one.wire.client_id}
    if not by_client:
        return set()
    attempts = SendAttempt.objects.filter(client_id__in=by_client)
    ours = attempts.select_related("message__conversation")
    settled = set()
    for attempt in ours:
        arrival = by_client[attempt.client_id]
        settled.add(arrival.dedupe_key)
        _mark_taken(attempt, arrival, change)
    return settled


def _mark_taken(attempt: SendAttempt, arrival: Arrival, change: Change) -> None:
    message = attempt.message
    is_latest = message.client_id == attempt.client_id
    if not is_latest or message.status not in _OPEN:
        return
    message.status = MessageStatus.SENT
    message.wire_id = arrival.wire.message_id[:40] or message.wire_id
    message.error_code = message.error_detail = ""
    message.holds_queue = False
    message.settled_at = timezone.now()
    message.save(
        update_fields=[
            "status", "wire_id", "error_code", "error_detail", "holds_queue", "settled_at",
        ]
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(claimed_by="")
    thread = message.conversation
    change.touch(message, f"team:{thread.team_id}", f"conversation:{thread.pk}")
