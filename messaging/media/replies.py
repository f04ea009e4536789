"""A reply with files: the text and each file are messages of their own, queued together in order.

All or nothing in one transaction; when one of them fails later, the next ones wait as always.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from messaging import outbox, reasons, services
from messaging.errors import DraftAlreadyUsed, ReplyError
from messaging.media import uploads
from messaging.media.limits import limits
from messaging.models import (
    Attachment,
    AttachmentState,
    Conversation,
    Message,
    MessageKind,
    Upload,
)
from messaging.reply_route import text_problem
from sessions_app.models import User
from sessions_app.realtime import announcing, wake_workers

KEY_CHARACTERS = 58
"""What of a draft's key leaves room for the number of a part."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of a reply. `kind`: as what it shall travel, "" as it is."""

    upload_id: str
    kind: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one message: a text or a file."""

    kind: MessageKind = MessageKind.TEXT
    text: str = ""
    upload: Upload | None = None

    @property
    def detail(self) -> str:
        """What the list of conversations shows of a file."""
        if self.upload is None or self.kind != MessageKind.FILE:
            return ""
        return self.upload.file_name


def send_with_files(
    *,
    user: User,
    conversation: Conversation,
    text: str,
    files: Sequence[Wanted],
    draft_key: str,
    session_name: str | None = None,
    override: bool = False,
    quote_of: Message | None = None,
) -> list[Message]:
    """Queue the text, if there is one, then each file. Raises ReplyError, FileProblem.

    The same draft key again is the same messages. Uploads that were sent are used up.
    """
    text = services.clean(text)
    if text.strip() and (problem := text_problem(text)):
        raise ReplyError(problem, reasons.refusal(problem))
    if len(files) > limits().most_files_per_reply:
        raise uploads.problem("too_many_files")
    key = draft_key[:KEY_CHARACTERS]
    words = [text] if text.strip() else []
    with announcing() as change:
        thread = outbox.lock_thread(conversation.pk)
        if key and (posted := _posted(thread, key)):
            return _first_answer(posted, words, files)
        parts = [Part(text=one) for one in words] + [_part(user, one) for one in files]
        context = services.find_context(
            thread, session_name=session_name, override=override, cost=len(parts)
        )
        messages = []
        for number, part in enumerate(parts):
            message = services.queue_text(
                thread,
                context,
                part.text,
                _part_key(key, number),
                user,
                override=override,
                quote_of=None if number else quote_of,
                kind=part.kind,
                detail=part.detail,
            )
            if part.upload is not None:
                attach(message, part.upload, part.kind)
            services.announce(change, message, thread)
            messages.append(message)
        wake_workers()
    return messages


def _part_key(key: str, number: int) -> str:
    """Keys stand once in a conversation: the first part has the draft's own."""
    return f"{key}/{number}" if key and number else key


def _posted(thread: Conversation, key: str) -> list[Message]:
    parts = Q(draft_key=key) | Q(draft_key__startswith=f"{key}/")
    return list(thread.messages.filter(parts).order_by("id"))


def _first_answer(
    posted: list[Message], words: list[str], files: Sequence[Wanted]
) -> list[Message]:
    known = [one.text for one in posted if one.kind == MessageKind.TEXT]
    if known != words or len(posted) != len(words) + len(files):
        raise DraftAlreadyUsed("key_reused", reasons.refusal("key_reused"))
    return posted


def _part(user: User, wanted: Wanted) -> Part:
    """Raises FileProblem: nobody sends what somebody else brought, or anything twice."""
    rows = Upload.objects.select_for_update().filter(owner=user, pk=wanted.upload_id)
    upload = rows.first()
    if upload is None:
        raise uploads.problem("unknown_upload")
    if wanted.file_name:
        upload.file_name = uploads.tidy_name(wanted.file_name)
    return Part(uploads.way_of(upload, wanted.kind), upload=upload)


_SHARED = (
    "file_name", "size", "content_type", "width", "height", "duration_ms", "peaks", "md5",
    "stored_name", "thumb_name", "sound_name", "stored_bytes",
)  # fmt: skip


def attach(message: Message, upload: Upload, kind: MessageKind) -> None:
    """The bytes belong to the message from now on."""
    Attachment.objects.create(
        message=message,
        position=0,
        kind=kind,
        state=AttachmentState.STORED,
        stored_at=timezone.now(),
        **{name: getattr(upload, name) for name in _SHARED},
    )
    upload.delete()
