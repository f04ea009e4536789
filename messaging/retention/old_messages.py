"""Deletes messages, notes and events that are older than the team keeps them.

Their age counts from when they were stored here. A conversation in which something waits for an
agent keeps all that it has: replies that are queued, being sent or undecided, parked replies, and
drafts. A conversation that is left empty is deleted, unless members gave it a label, wrote a name
or note for its contact, or snoozed it: that is their own work, and they would miss it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from messaging.composing.drafts import begun
from messaging.conversations import rows
from messaging.models import (
    SPOKEN,
    Contact,
    Conversation,
    Direction,
    Message,
    MessageKind,
    ParkedReply,
    ParkedState,
    TeamContact,
)
from messaging.retention.deleting import delete_messages, remove_conversations
from messaging.retention.positions import AT_ONCE, oldest, turn
from sessions_app.database.written_out import among
from sessions_app.models import Context
from sessions_app.realtime.streams import Change, announcing

JOB = "messages"
LATELY = timedelta(days=7)
"""A conversation with a message of this time may be open on a page, which is told at once."""


def step(before: datetime) -> bool:
    """Delete some messages from before this moment. True: there is more to do.

    One round goes through all of them; the next one begins again with those that were kept.
    """
    with turn(JOB) as position, announcing() as change:
        if position is None:
            return False
        messages = Message.objects.all()
        ids = oldest(messages, "stored_at", before, after=position.last_key)
        if ids:
            _delete(change, ids, before)
        is_over = len(ids) < AT_ONCE
        position.last_key = 0 if is_over else ids[-1]
    return not is_over


def _delete(change: Change, ids: Sequence[int], before: datetime) -> None:
    concerned = Conversation.objects.filter(
        pk__in=Message.objects.filter(pk__in=ids).values("conversation")
    )
    locked = rows.lock_many(concerned)
    kept = waiting_among(locked)
    free = [one for one in locked if one.pk not in kept]
    theirs = Message.objects.filter(pk__in=ids, conversation__in=free)
    delete_messages(list(theirs.values_list("pk", flat=True)))
    _follow(change, free, before)


def waiting_among(conversations: Collection[Conversation]) -> set[int]:
    """Keys of those in which something waits for an agent or for WeChat."""
    ids = [one.pk for one in conversations]
    # The whole queue is short, and has an index; the messages of a conversation may be many.
    queue = Message.objects.filter(among("status", "queued", "sending"))
    kept = set(queue.values_list("conversation", flat=True))
    kept |= {one.pk for one in conversations if one.not_sent}
    parked = ParkedReply.objects.filter(conversation__in=ids, state=ParkedState.WAITING)
    kept |= set(parked.values_list("conversation", flat=True))
    drafts = begun().filter(conversation__in=ids)
    return kept | set(drafts.values_list("conversation", flat=True))


def _follow(change: Change, conversations: Sequence[Conversation], before: datetime) -> None:
    """Show on the rows of conversations that messages of theirs are gone."""
    silent = [one for one in conversations if one.last_at < before]
    emptied = _without(silent, Q())
    to_keep = _made_by_members(emptied)
    to_remove = [one for one in emptied if one.pk not in to_keep]
    removed = {one.pk for one in to_remove}
    unspoken = {one.pk for one in _without(silent, Q(direction__in=SPOKEN))}
    since = timezone.now() - LATELY
    for one in conversations:
        if one.pk in removed:
            continue
        is_recounted = _recounted(one)
        is_blanked = one.pk in unspoken and _blanked(one)
        if is_recounted or is_blanked or one.last_at > since:
            rows.touch(change, one)
    remove_conversations(change, to_remove)
    _delete_strangers({one.contact_id for one in to_remove})


def _without(conversations: Sequence[Conversation], which: Q) -> list[Conversation]:
    """Those that have no such message any more."""
    left = Exists(Message.objects.filter(which, conversation=OuterRef("pk")))
    ids = {one.pk for one in conversations}
    having = set(Conversation.objects.filter(left, pk__in=ids).values_list("pk", flat=True))
    return [one for one in conversations if one.pk not in having]


def _made_by_members(conversations: Sequence[Conversation]) -> set[int]:
    """Keys of those about which members wrote something that is to stay."""
    ids = [one.pk for one in conversations]
    words = TeamContact.objects.filter(~Q(name="", note=""), contact=OuterRef("contact"))
    kept = Q(snoozed_until__isnull=False) | Q(labels__isnull=False)
    kept |= Q(Exists(words.filter(team=OuterRef("team"))))
    return set(Conversation.objects.filter(kept, pk__in=ids).values_list("pk", flat=True))


def _recounted(conversation: Conversation) -> bool:
    """Count the unread messages anew. True: the number changed."""
    if not conversation.unread:
        return False
    unread = Message.objects.filter(
        conversation=conversation, direction=Direction.IN, id__gt=conversation.read_up_to
    ).count()
    if unread >= conversation.unread:
        return False
    conversation.unread = unread
    conversation.save(update_fields=["unread"])
    return True


def _blanked(conversation: Conversation) -> bool:
    """Nothing was said that is still here, so the list shows no text. True: it did."""
    if not (conversation.last_text or conversation.waiting_since):
        return False
    conversation.last_kind, conversation.last_text = MessageKind.TEXT, ""
    conversation.waiting_since = conversation.missed_at = None
    conversation.save(update_fields=[*rows.LAST_MESSAGE_FIELDS, "waiting_since", "missed_at"])
    return True


def _delete_strangers(contact_ids: set[int]) -> None:
    """Delete the contacts who have no other conversation and no words of a team."""
    kept = set(
        Conversation.objects.filter(contact__in=contact_ids).values_list("contact", flat=True)
    )
    words = TeamContact.objects.filter(~Q(name="", note=""), contact__in=contact_ids)
    kept |= set(words.values_list("contact", flat=True))
    strangers = Contact.objects.filter(pk__in=contact_ids - kept)
    wechat_ids = list(strangers.values_list("user_id", flat=True))
    Context.objects.filter(user_id__in=wechat_ids).delete()
    strangers.delete()
