"""Deletes what nobody needs after some time, whatever the team keeps: raw answers, keys, attempts.

Each function does one step and returns whether there is more to do.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from messaging.models import (
    Attachment,
    AttachmentState,
    Draft,
    Message,
    ParkedReply,
    ParkedState,
    PostedKey,
    RawAnswer,
    Removal,
    SendAttempt,
    WorkAction,
)
from messaging.retention.deleting import delete_drafts
from messaging.retention.positions import AT_ONCE, delete_oldest, oldest, turn
from sessions_app.database.written_out import among
from sessions_app.login import attempts
from sessions_app.models import SessionEvent
from sessions_app.people import browsers, throttle

ATTEMPTS_KEPT = timedelta(days=90)
"""After an attempt to send no echo of it comes any more."""
POSTED_KEYS_KEPT = timedelta(days=30)
"""A program that repeats a post later than this sends a second message."""
SESSION_EVENTS_KEPT = timedelta(days=400)
"""The history of an account, which holds nothing that customers wrote."""
LOGINS_KEPT = timedelta(days=30)
"""Finished logins of accounts."""
UNDO_KEPT = timedelta(days=1)
"""Actions of members who do nothing more; whoever does deletes their own earlier ones."""
REMOVALS_KEPT = timedelta(days=30)
"""A page that sleeps longer has rows that lead nowhere, until it is loaded again."""


def empty_raw_messages(before: datetime) -> bool:
    """Empty the raw answers of messages. The messages stay."""
    with turn("raw messages") as position:
        if position is None:
            return False
        ids = oldest(Message.objects.all(), "stored_at", before, after=position.last_key)
        Message.objects.filter(pk__in=ids).exclude(encrypted_raw=b"").update(encrypted_raw=b"")
        position.last_key = ids[-1] if ids else position.last_key
    return len(ids) >= AT_ONCE


def empty_raw_files(before: datetime) -> bool:
    """Empty WeChat's descriptions of files, which hold their keys, but of those still awaited."""
    with turn("raw files") as position:
        if position is None:
            return False
        rows = Attachment.objects.all()
        ids = oldest(rows, "message__stored_at", before, after=position.last_key)
        settled = rows.filter(pk__in=ids).exclude(
            state__in=(AttachmentState.REMOTE, AttachmentState.FETCHING)
        )
        settled.exclude(encrypted_item="").update(encrypted_item="")
        position.last_key = ids[-1] if ids else position.last_key
    return len(ids) >= AT_ONCE


def empty_raw_answers(before: datetime) -> bool:
    """Empty answers that could not be read. When they came, and why they were kept, stays."""
    with turn("raw answers") as position:
        if position is None:
            return False
        ids = oldest(RawAnswer.objects.all(), "received_at", before, after=position.last_key)
        RawAnswer.objects.filter(pk__in=ids).update(encrypted_body=b"")
        position.last_key = ids[-1] if ids else position.last_key
    return len(ids) >= AT_ONCE


def delete_old_drafts(before: datetime) -> bool:
    """Delete drafts that nobody has changed since, with their files."""
    old = Draft.objects.filter(updated_at__lt=before).values_list("pk", flat=True)[:AT_ONCE]
    return delete_drafts(Q(pk__in=list(old), updated_at__lt=before)) >= AT_ONCE


def delete_decided_replies(before: datetime) -> bool:
    """Delete parked replies that were sent, discarded or have expired. Those that wait stay."""
    with turn("parked replies") as position:
        if position is None:
            return False
        rows = ParkedReply.objects.all()
        ids = oldest(rows, "created_at", before, after=position.last_key)
        rows.filter(pk__in=ids).exclude(state=ParkedState.WAITING).delete()
        is_over = len(ids) < AT_ONCE
        position.last_key = 0 if is_over else ids[-1]
    return not is_over


def delete_attempts(now: datetime) -> bool:
    """Delete old attempts, but those of replies that still wait."""
    with turn("attempts") as position:
        if position is None:
            return False
        rows = SendAttempt.objects.all()
        ids = oldest(rows, "started_at", now - ATTEMPTS_KEPT, after=position.last_key)
        queue = Message.objects.filter(among("status", "queued", "sending"))
        waiting = Q(message__in=queue) | Q(message__holds_queue=True)
        waiting |= Q(message__missing_receipt=True)
        done = rows.filter(pk__in=ids).exclude(waiting)
        rows.filter(pk__in=list(done.values_list("pk", flat=True))).delete()
        is_over = len(ids) < AT_ONCE
        position.last_key = 0 if is_over else ids[-1]
    return not is_over


def delete_posted_keys(now: datetime) -> bool:
    return delete_oldest(PostedKey, "created_at", now - POSTED_KEYS_KEPT)


def delete_session_events(now: datetime) -> bool:
    return delete_oldest(SessionEvent, "at", now - SESSION_EVENTS_KEPT)


def delete_small(now: datetime) -> bool:
    """Delete what there is little of: logins, counts of tries, actions, marks of conversations."""
    browsers.forget_ended()
    throttle.forget_ended(now.timestamp())
    attempts.forget_finished(now - LOGINS_KEPT)
    more_actions = delete_oldest(WorkAction, "created_at", now - UNDO_KEPT)
    more_marks = delete_oldest(Removal, "removed_at", now - REMOVALS_KEPT)
    return more_actions or more_marks
