"""Matches a bot's own messages that a poll returns to our outgoing rows, by `client_id`.

An echo proves that WeChat accepted the message; it never makes a second bubble.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from messaging.conversations import rows
from messaging.conversations.standing import show_standing
from messaging.models import Message, MessageStatus, SendAttempt
from messaging.receiving.answers import Arrival, Contexts, Conversations
from messaging.reply_window import quota
from sessions_app.realtime.streams import Change

_OPEN = (MessageStatus.SENDING, MessageStatus.UNCONFIRMED)


Echoes = dict[tuple[int, str], tuple[SendAttempt, Arrival]]
"""Maps an echo's (session id, dedupe key) to the attempt that it confirms."""


def find(arrivals: Sequence[Arrival]) -> Echoes:
    """Find echoes of our own messages. Only reads: a client id always has the same message."""
    client_ids = {one.wire.client_id for one in arrivals if one.is_ours and one.wire.client_id}
    if not client_ids:
        return {}
    attempts = SendAttempt.objects.filter(client_id__in=client_ids).select_related("message")
    ours = {(one.message.session_id, one.client_id): one for one in attempts}
    return {
        (one.session.pk, one.dedupe_key): (attempt, one)
        for one in arrivals
        if one.is_ours and (attempt := ours.get((one.session.pk, one.wire.client_id)))
    }


def settle(found: Echoes, conversations: Conversations, contexts: Contexts, change: Change) -> None:
    """Mark our own messages as accepted. Conversations and contexts are locked already."""
    ids = {attempt.message_id for attempt, _arrival in found.values()}
    if not ids:
        return
    ours = Message.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
    messages = ours.select_related("conversation__contact").order_by("pk")
    by_id = {message.pk: message for message in messages}
    # Use the caller's objects, since it saves them later.
    locked = {conversation.pk: conversation for conversation in conversations.values()}
    for message in by_id.values():
        message.conversation = locked.get(message.conversation_id, message.conversation)
    for attempt, arrival in found.values():
        _mark_accepted(by_id[attempt.message_id], contexts, attempt.client_id, arrival, change)


def _mark_accepted(
    message: Message, contexts: Contexts, client_id: str, arrival: Arrival, change: Change
) -> None:
    # The echo of any earlier attempt shows that WeChat accepted the message. So a queued retry need
    # not be sent, and a refusal was wrong.
    waits = message.status == MessageStatus.QUEUED
    refused = message.status == MessageStatus.FAILED and message.holds_queue
    is_open = message.status in _OPEN or refused
    if not waits and (message.client_id != client_id or not is_open):
        return
    message.status = MessageStatus.SENT
    message.wire_id = arrival.wire.message_id[:40] or message.wire_id
    message.error_code = message.error_detail = message.claimed_by = ""
    message.holds_queue, message.missing_receipt, message.next_try_at = False, False, None
    message.settled_at = timezone.now()
    message.save(
        update_fields=[
            "status", "wire_id", "error_code", "error_detail", "claimed_by", "holds_queue",
            "missing_receipt", "next_try_at", "settled_at",
        ]
    )  # fmt: skip
    conversation = message.conversation
    if waits:
        key = (message.session_id, conversation.contact.user_id)
        quota.give_back(conversation, contexts.get(key) or quota.lock_context(*key))
        rows.touch(change, conversation)
    show_standing(change, conversation)
    rows.touch_messages(change, conversation, message)


SAME_WITHIN = timedelta(seconds=60)
"""Within this time, an echo with the same text is the message in another program's store."""


def known_elsewhere(arrivals: Sequence[Arrival]) -> set[tuple[int, str]]:
    """Echoes of another program's replies that its store has already brought."""
    return {
        (one.session.pk, one.dedupe_key)
        for one in arrivals
        if one.is_ours and _mark_elsewhere(one, one.wire.message_id[:40])
    }


def _mark_elsewhere(one: Arrival, wire_id: str) -> bool:
    text = "\n".join(item.text for item in one.wire.items if item.text)
    at = one.written_at
    rows = Message.objects.filter(
        session=one.session,
        conversation__contact__user_id=one.wechat_id,
        sent_elsewhere=True,
        text=text,
        wire_id__in=("", wire_id),
        created_at__range=(at - SAME_WITHIN, at + SAME_WITHIN),
    )
    found = rows.order_by("-wire_id", "id").first()
    if found is None:
        return False
    Message.objects.filter(pk=found.pk).update(wire_id=wire_id)
    return True
