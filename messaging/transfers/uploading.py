"""Rows of files to upload to WeChat: claim them, save progress, result or error.

The message stays queued during the upload. Nothing of it has been sent, so it can be cancelled, and
another worker may upload again. Each change is one transaction, announced on commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from messaging.conversations import rows
from messaging.delivering import outbox
from messaging.delivering.outgoing import not_uploaded, pack
from messaging.models import Attachment, Message, MessageStatus
from sessions_app.database.encryption import DecryptionError
from sessions_app.database.waits import has_come
from sessions_app.database.written_out import among
from sessions_app.ilink.wire import UploadedFile
from sessions_app.models import WorkerBeat
from sessions_app.realtime.streams import announcing, wake_workers
from sessions_app.sessions import leases

RETRY_S = (2, 5, 15, 30, 60, 120)
"""Seconds to wait after each failed upload. After the last one the message fails."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an upload failed. `code`: while it is tried again; `final`: once it is given up."""

    code: str
    final: str
    detail: str = ""
    retry_after_s: float | None = None


LONGEST_WAIT_S = 600.0
"""Upper limit of a `Retry-After`, as later replies to the contact wait for this file."""


@dataclass(frozen=True, slots=True)
class UploadJob:
    """One file to upload, for one contact and one binding of a session."""

    attachment_id: int
    message_id: int
    conversation_id: int
    session_id: int
    generation: int
    base_url: str
    bot_token: str = field(repr=False)
    to_user_id: str
    kind: str
    stored_name: str
    size: int
    md5: str


def claim(worker_id: str, *, busy: Sequence[int], room: int) -> list[UploadJob]:
    """Claim up to `room` uploads, the oldest of each conversation; `busy`: in progress."""
    turn: dict[int, int] = {}
    for pk, conversation in _waiting().values_list("pk", "message__conversation"):
        if conversation not in busy:
            turn.setdefault(conversation, pk)
    jobs = (_claim(worker_id, pk) for pk in list(turn.values())[:room])
    return [job for job in jobs if job is not None]


def _free() -> Q:
    return Q(claimed_by="") | ~Q(claimed_by__in=WorkerBeat.objects.values("pk"))


def _waiting() -> QuerySet[Attachment]:
    """Files that are due. Nothing is uploaded while an earlier message waits for a decision."""
    now = timezone.now()
    held = Message.objects.filter(
        conversation=OuterRef("message__conversation"), id__lt=OuterRef("message"), holds_queue=True
    )
    due = has_come("next_try_at", now)
    under_way = among("message__status", "queued", "sending")  # the condition of the index
    rows = not_uploaded(now).filter(_free(), due, under_way, message__status=MessageStatus.QUEUED)
    return rows.exclude(Exists(held)).order_by("pk")


def _claim(worker_id: str, pk: int) -> UploadJob | None:
    with transaction.atomic():
        if not leases.is_known(worker_id):
            return None
        mine = Attachment.objects.filter(_free(), pk=pk)
        if mine.update(claimed_by=worker_id) != 1:
            return None
    rows = Attachment.objects.select_related("message__session", "message__conversation__contact")
    row = rows.get(pk=pk)
    session = row.message.session
    try:
        bot_token = session.token
    except DecryptionError:
        give_up(pk, row.message_id, code="sealed")
        return None
    return UploadJob(
        attachment_id=pk,
        message_id=row.message_id,
        conversation_id=row.message.conversation_id,
        session_id=session.pk,
        generation=session.generation,
        base_url=session.base_url,
        bot_token=bot_token,
        to_user_id=row.message.conversation.contact.user_id,
        kind=row.kind,
        stored_name=row.stored_name,
        size=row.size or 0,
        md5=row.md5,
    )


def note_progress(job: UploadJob, percent: int) -> bool:
    """Save the progress. False if the message was cancelled, so that the upload stops."""
    return _change(job, {"progress": percent})


def finish(job: UploadJob, uploaded: UploadedFile) -> bool:
    """Save the finished upload, so that the message can be sent."""
    return _change(
        job,
        {
            "encrypted_upload": pack(uploaded),
            "uploaded_at": timezone.now(),
            "uploaded_generation": job.generation,
            **_AT_REST,
        },
    )


_AT_REST: dict[str, object] = {
    "claimed_by": "", "progress": None, "tries": 0, "next_try_at": None,
}  # fmt: skip


def _change(job: UploadJob, columns: dict[str, object], **shown: object) -> bool:
    with announcing() as change:
        conversation = rows.lock(job.conversation_id)
        queued = Message.objects.filter(pk=job.message_id, status=MessageStatus.QUEUED)
        message = queued.defer("encrypted_raw").first()
        if message is None:
            Attachment.objects.filter(pk=job.attachment_id).update(**_AT_REST)
            return False
        Attachment.objects.filter(pk=job.attachment_id).update(**columns)
        queued.update(**{"error_code": "", "error_detail": "", "next_try_at": None, **shown})
        rows.touch_messages(change, conversation, message)
        wake_workers()
    return True


def try_later(job: UploadJob, trouble: Trouble) -> None:
    """Retry after the next wait. After the last try the message fails and an agent decides.

    Nothing of the message has been sent, so a retry cannot send it twice.
    """
    known = Attachment.objects.filter(pk=job.attachment_id).values_list("tries", flat=True).first()
    tries = (known or 0) + 1
    if tries > len(RETRY_S):
        give_up(job.attachment_id, job.message_id, code=trouble.final, detail=trouble.detail)
        return
    asked_s = trouble.retry_after_s
    wait_s = RETRY_S[tries - 1] if asked_s is None else min(asked_s, LONGEST_WAIT_S)
    at = timezone.now() + timedelta(seconds=wait_s)
    _change(
        job,
        {**_AT_REST, "tries": tries, "next_try_at": at},
        error_code=trouble.code,
        error_detail=trouble.detail[:400],
        next_try_at=at,
    )


def give_up(attachment_id: int, message_id: int, *, code: str, detail: str = "") -> None:
    """Fail the message with the reason. A later retry starts from the beginning."""
    Attachment.objects.filter(pk=attachment_id).update(**_AT_REST)
    outbox.fail_queued(message_id, code=code, detail=detail)


def hand_back(attachment_ids: Sequence[int], worker_id: str) -> None:
    """Release claims when the worker stops; another worker starts the upload again."""
    mine = Attachment.objects.filter(pk__in=attachment_ids, claimed_by=worker_id)
    mine.update(claimed_by="", progress=None)
