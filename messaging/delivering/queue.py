"""Which queued replies may be sent now, and why others wait. Writes only the reason for waiting.

Replies to one contact go in order. With a shared folder each is counted there first.
"""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When

from messaging.conversations import rows
from messaging.delivering.outgoing import not_uploaded
from messaging.models import Message, MessageStatus
from messaging.receiving import doubts
from sessions_app.database.waits import has_come
from sessions_app.database.written_out import among
from sessions_app.models import Context
from sessions_app.realtime.streams import announcing

UNDER_WAY = among("status", "queued", "sending")
"""The condition of the index of what is queued or being sent."""
BUSY_AFTER_S = 2
HANGS_AFTER_S = 2


def ready(now: datetime) -> QuerySet[Message]:
    """Queued messages with nothing of the same contact before them, oldest first.

    A file's message waits until its file is uploaded.
    """
    ahead = _before().filter(Q(status=MessageStatus.QUEUED) | Q(holds_queue=True))
    due = has_come("next_try_at", now) & has_come("release_at", now)
    queued = Message.objects.filter(UNDER_WAY, due, status=MessageStatus.QUEUED)
    queued = queued.exclude(doubts.holds_replies(now))
    if settings.WEILINK_STORE == "files":
        queued = queued.exclude(Exists(_unfiled()))
    uploading = not_uploaded(now).filter(message=OuterRef("pk"))
    free = queued.exclude(Exists(ahead)).exclude(Exists(on_the_wire()))
    return free.exclude(Exists(uploading)).order_by("id")


def _before() -> QuerySet[Message]:
    """Earlier messages of the same conversation, for a subquery."""
    return Message.objects.filter(conversation=OuterRef("conversation"), id__lt=OuterRef("id"))


def held_by() -> Case:
    """The id of the reply that holds a queued one until somebody decides, else NULL.

    Of several, the last one before it, as the page links to it (`presentation.bubbles`).
    """
    holder = _before().filter(holds_queue=True).order_by("-id").values("id")[:1]
    return Case(When(status=MessageStatus.QUEUED, then=Subquery(holder)))


def on_the_wire() -> QuerySet[Message]:
    """Messages being sent to the same contact, for `Exists`.

    One may have a higher id: a retry keeps the place of its message.
    """
    return Message.objects.filter(
        conversation=OuterRef("conversation"), status=MessageStatus.SENDING
    )


def under_way(now: datetime) -> Counter[int]:
    """Session → number of its replies that are being sent, without those that hang."""
    sending = Message.objects.filter(
        UNDER_WAY,
        status=MessageStatus.SENDING,
        attempts__finished_at=None,
        attempts__started_at__gt=now - timedelta(seconds=HANGS_AFTER_S),
    )
    return Counter(sending.values_list("session_id", flat=True))


def _unfiled() -> QuerySet[Context]:
    """Contexts not yet saved to the shared folder; a reply is counted there before it is sent."""
    return Context.objects.filter(
        session=OuterRef("session"),
        user_id=OuterRef("conversation__contact__user_id"),
        unfiled=True,
    )


def note_busy_folder(now: datetime) -> None:
    """Show that replies wait until another program has released the folder."""
    waiting = Message.objects.filter(
        Exists(_unfiled()),
        status=MessageStatus.QUEUED,
        error_code="",
        stored_at__lt=now - timedelta(seconds=BUSY_AFTER_S),
    )
    for message in waiting:
        with announcing() as change:
            conversation = rows.lock(message.conversation_id)
            waits = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
            if waits.update(error_code="folder_busy"):
                rows.touch_messages(change, conversation, message)
