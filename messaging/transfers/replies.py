"""The files of a reply. Each file is a message that takes over its upload, or gives it back.

Called inside the transaction of `messaging.replying.sending`, which queues all parts or none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from messaging.composing import drafts
from messaging.media.limits import limits
from messaging.models import Attachment, AttachmentState, Conversation, Message, MessageKind, Upload
from messaging.transfers import uploads
from sessions_app.models import User


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of a reply. `kind`: how to send it; "" for the file's own kind."""

    upload_id: str
    kind: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A text or a file that becomes one message."""

    kind: MessageKind = MessageKind.TEXT
    text: str = ""
    upload: Upload | None = None

    @property
    def detail(self) -> str:
        """The file's name, for the list of conversations."""
        if self.upload is None or self.kind != MessageKind.FILE:
            return ""
        return self.upload.file_name


def check_count(files: Sequence[Wanted]) -> None:
    """Raises FileProblem."""
    if len(files) > limits().most_files_per_reply:
        raise uploads.problem("too_many_files")


def part_of(user: User | None, wanted: Wanted, conversation: Conversation) -> Part:
    """Raises FileProblem if the upload belongs to somebody else or was sent already.

    A draft's file can only be sent in the draft's conversation.
    """
    upload = None
    if user is not None and uploads.is_id(wanted.upload_id):
        rows = Upload.objects.select_for_update().filter(owner=user, pk=wanted.upload_id)
        upload = rows.first()
    if upload is None or not upload.stored_name or _is_elsewhere(upload, conversation):
        raise uploads.problem("unknown_upload")
    if wanted.file_name:
        upload.file_name = uploads.tidy_name(wanted.file_name)
    return Part(uploads.way_of(upload, wanted.kind), upload=upload)


def _is_elsewhere(upload: Upload, conversation: Conversation) -> bool:
    draft = upload.draft_id
    return draft is not None and not conversation.drafts.filter(pk=draft).exists()


_SHARED = (
    "file_name", "size", "content_type", "width", "height", "duration_ms", "peaks", "md5",
    "stored_name", "thumb_name", "sound_name", "stored_bytes", "is_incomplete",
)  # fmt: skip


def attach(message: Message, upload: Upload, kind: MessageKind) -> None:
    """Move the file from the upload to the message. The draft no longer has it."""
    Attachment.objects.create(
        message=message,
        position=0,
        kind=kind,
        state=AttachmentState.STORED,
        stored_at=timezone.now(),
        **{name: getattr(upload, name) for name in _SHARED},
    )
    upload.delete()
    drafts.files_changed(upload.draft_id)


def give_back(messages: Iterable[Message], user: User) -> list[Upload]:
    """Turn the files of messages that will not be sent into the user's uploads again, in order."""
    rows = Attachment.objects.select_for_update().filter(message__in=list(messages))
    uploads_made = []
    for row in rows.order_by("message_id", "position"):
        if not row.stored_name:  # deleted meanwhile to make room
            continue
        columns = {name: getattr(row, name) for name in _SHARED}
        uploads_made.append(Upload.objects.create(owner=user, kind=row.kind, **columns))
        row.delete()
    return uploads_made
