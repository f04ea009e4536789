"""Derives from a conversation's messages whether it is answered and how many replies are not sent.

Every change of a reply ends in `show_standing`, so that no order of events leaves a list wrong.
Runs inside the caller's transaction, which holds the conversation's lock. See
docs/decisions/0007-what-counts-as-an-answer.md.
"""

from datetime import datetime

from django.db.models import Q

from messaging.conversations import rows
from messaging.conversations.events import record_event
from messaging.models import (
    Conversation,
    Direction,
    EventCode,
    Message,
    MessageStatus,
)
from sessions_app.realtime.streams import Change

UNDECIDED = Q(holds_queue=True) | Q(missing_receipt=True)
"""Replies that were not sent, as far as is known, and about which nobody has decided."""

_GIVEN_UP = (
    Q(status=MessageStatus.CANCELLED)
    | Q(status=MessageStatus.FAILED, holds_queue=False)
    | Q(status=MessageStatus.UNCONFIRMED, holds_queue=False) & ~Q(error_code="no_id")
)
"""Cancelled, discarded or parked: treated as if they had never been written."""

_REPLY = (Q(direction=Direction.OUT) & ~_GIVEN_UP) | Q(event=EventCode.ANSWERED_ELSEWHERE)
_WORD = Q(direction=Direction.IN) | Q(event=EventCode.RECEIVED_ELSEWHERE)
"""What the contact wrote, to us or to another program."""


def show_standing(change: Change, conversation: Conversation) -> None:
    """Update `waiting_since` and `not_sent` of the locked conversation.

    A conversation that was closed as answered is reopened if it turns out not to be answered.
    """
    messages = Message.objects.filter(conversation=conversation.pk)
    undecided = messages.filter(UNDECIDED).order_by("id").values_list("id", "holds_queue")
    holder = next((pk for pk, holds in undecided if holds), None)
    not_sent = len(undecided)
    if holder is not None:
        not_sent += messages.filter(status=MessageStatus.QUEUED, id__gt=holder).count()
    waiting_since = _waiting_since(conversation, holder)
    before = (conversation.waiting_since, conversation.not_sent)
    if before == (waiting_since, not_sent):
        return
    if conversation.not_sent != not_sent:  # bubbles of held replies change, too
        held = messages.filter(status=MessageStatus.QUEUED).defer("encrypted_raw")
        rows.touch_messages(change, conversation, *held)
    is_news = conversation.waiting_since is None and waiting_since is not None
    conversation.waiting_since, conversation.not_sent = waiting_since, not_sent
    if waiting_since is None:
        conversation.missed_at = None
    elif is_news and rows.show_open(conversation):
        record_event(change, conversation, EventCode.UNANSWERED)
    fields = ["waiting_since", "not_sent", "missed_at", "status", "snoozed_until"]
    conversation.save(update_fields=fields)
    rows.touch(change, conversation)


def _waiting_since(conversation: Conversation, holder: int | None) -> datetime | None:
    """When the contact wrote the first unanswered message; None if the last reply is sent.

    Of several replies to the same messages, the last one counts. While it is undecided, the
    messages before it wait, and so do earlier ones whose last reply is undecided.
    """
    messages = Message.objects.filter(conversation=conversation.pk)
    words, replies = messages.filter(_WORD), messages.filter(_REPLY).defer("encrypted_raw")
    reply = last = replies.order_by("-id").first()
    while reply is not None and _is_open(reply, holder):
        before = words.filter(id__lt=reply.pk).order_by("-id")
        word = before.values_list("id", flat=True).first()
        reply = replies.filter(id__lt=word).order_by("-id").first() if word else None
    answered_up_to = reply.pk if reply is not None else 0
    waits = words.filter(id__gt=answered_up_to).order_by("id")
    since = waits.values_list("stored_at", flat=True).first()
    if since is None and reply is None and last is not None:
        return last.stored_at  # we wrote first, and it was not sent
    return since


def _is_open(reply: Message, holder: int | None) -> bool:
    """True if it was not sent, or cannot be sent before somebody decides about `holder`."""
    if reply.status == MessageStatus.QUEUED:
        return holder is not None and reply.pk > holder
    return reply.holds_queue or reply.missing_receipt
