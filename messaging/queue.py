"""Which queued replies may go now, and why one still waits. Reads, but for the word that it waits.

One person's replies go in order; with a shared folder each is counted there before it may go.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.media.outgoing import not_uploaded
from messaging.models import Conversation, Message, MessageStatus
from sessions_app.models import Context
from sessions_app.realtime import announcing

BUSY_AFTER_S = 2


def ready(now: datetime) -> QuerySet[Message]:
    """Queued messages that nothing of the same person is ahead of, oldest first.

    A file's message waits for its upload: until then nothing of it has left.
    """
    ahead = Message.objects.filter(conversation=OuterRef("conversation"), id__lt=OuterRef("id"))
    ahead = ahead.filter(
        Q(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING]) | Q(holds_queue=True)
    )
    due = Q(next_try_at=None) | Q(next_try_at__lte=now)
    released = Q(release_at=None) | Q(release_at__lte=now)
    queued = Message.objects.filter(due, released, status=MessageStatus.QUEUED)
    if settings.WEILINK_STORE == "files":
        queued = queued.exclude(Exists(_unfiled()))
    uploading = not_uploaded(now).filter(message=OuterRef("pk"))
    return queued.exclude(Exists(ahead)).exclude(Exists(uploading)).order_by("id")


def _unfiled() -> QuerySet[Context]:
    """The reply is counted in the shared folder before it is sent; see `sessions_app.mirror`."""
    return Context.objects.filter(
        session=OuterRef("session"),
        user_id=OuterRef("conversation__contact__user_id"),
        unfiled=True,
    )


def note_busy_folder(now: datetime) -> None:
    """Replies that wait for another program to be done with the folder say so."""
    rows = Message.objects.filter(
        Exists(_unfiled()),
        status=MessageStatus.QUEUED,
        error_code="",
        stored_at__lt=now - timedelta(seconds=BUSY_AFTER_S),
    )
    for message in rows.select_related("conversation"):
        with announcing() as change:
            Conversation.objects.select_for_update(no_key=True).get(pk=message.conversation_id)
            waits = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
            if waits.update(error_code="folder_busy"):
                topic = f"conversation:{message.conversation_id}"
                change.touch(message, f"team:{message.conversation.team_id}", topic)
