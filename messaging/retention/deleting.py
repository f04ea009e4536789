"""Deletes messages with their files, and conversations, and tells open pages.

Runs inside the caller's `announcing()`, which holds the locks of the conversations.
"""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q

from messaging.conversations import presence, rows
from messaging.media import storing
from messaging.models import Attachment, Conversation, Draft, Message, Removal, Upload
from messaging.models.attachment import StoredFile
from sessions_app.realtime.streams import Change

FILE_COLUMNS = ("stored_name", "thumb_name", "sound_name")


def delete_messages(ids: Collection[int]) -> None:
    """Delete these messages, their files, attempts and mentions.

    The files go first. If the transaction fails then, a row refers to a missing file until the next
    attempt; the other way round a file that nothing refers to would stay for ever.
    """
    if not ids:
        return
    _remove_files(Attachment.objects.filter(message__in=ids).only(*FILE_COLUMNS))
    Message.objects.filter(pk__in=ids).only("pk").delete()


def delete_drafts(wanted: Q) -> int:
    """Delete drafts and the files in them. Returns how many drafts."""
    drafts = list(Draft.objects.filter(wanted).values_list("pk", flat=True))
    uploads = Upload.objects.filter(draft__in=drafts)
    _remove_files(uploads.only(*FILE_COLUMNS))
    uploads.delete()
    Draft.objects.filter(pk__in=drafts).delete()
    return len(drafts)


def _remove_files(found: Iterable[StoredFile]) -> None:
    storing.remove(name for row in found for name in row.stored_names())


def remove_conversations(change: Change, conversations: Sequence[Conversation]) -> None:
    """Delete conversations that hold no messages any more. Pages drop their rows."""
    for conversation in conversations:
        removal = Removal.objects.create(
            conversation_key=conversation.pk, team_id=conversation.team_id
        )
        change.touch(
            removal, rows.stream_of(conversation), f"{rows.CONVERSATION_TOPIC}{conversation.pk}"
        )
        if conversation.assignee_id is not None:
            rows.show_assignee(change, conversation, None)
    ids = [one.pk for one in conversations]
    presence.clear(ids)
    Conversation.objects.filter(pk__in=ids).delete()
