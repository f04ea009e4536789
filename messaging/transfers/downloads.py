"""Rows of files to download: claim them, store the result or the error, retry.

Each change is one transaction, announced on commit. Nothing here talks to the CDN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from messaging.conversations import rows
from messaging.media import storing
from messaging.media.examining import Examined
from messaging.models import Attachment, AttachmentState, Message
from sessions_app.database.encryption import DecryptionError, decrypt
from sessions_app.database.waits import has_come
from sessions_app.database.written_out import among
from sessions_app.ilink.opening import told_of
from sessions_app.ilink.wire import Item, parse_item
from sessions_app.models import WorkerBeat
from sessions_app.realtime.streams import announcing, wake_workers
from sessions_app.sessions import leases

RETRY_S = (2, 5, 30, 90, 300, 1_800, 3_600)
"""Seconds to wait after each failed try. After the last one the file fails."""
GONE_TRIES = 6
"""Over several minutes, since the CDN may not have a new file yet."""
_TO_FETCH = among("state", "remote", "fetching")
"""The condition of the index."""
_BEING_FETCHED = Q(state=AttachmentState.FETCHING)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One file to download. `item`: WeChat's description; `tries`: failed tries so far."""

    attachment_id: int
    message_id: int
    conversation_id: int
    session_id: int
    kind: str
    item: Item
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a download failed. `code`: while it is tried again; `final`: once it is given up."""

    code: str
    most_tries: int
    final: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is now in the storage."""

    examined: Examined
    stored_name: str
    thumb_name: str = ""
    sound_name: str = ""
    stored_bytes: int = 0
    md5: str = ""

    def columns(self) -> dict[str, object]:
        """The columns to save on an attachment or an upload."""
        return {
            "size": self.examined.size,
            "content_type": self.examined.content_type,
            "stored_name": self.stored_name,
            "thumb_name": self.thumb_name,
            "sound_name": self.sound_name,
            "stored_bytes": self.stored_bytes,
            "md5": self.md5,
            "is_incomplete": self.examined.is_incomplete,
            **self.examined.facts,
        }

    def names(self) -> list[str]:
        return [name for name in (self.stored_name, self.thumb_name, self.sound_name) if name]


def claim(worker_id: str, *, running: Counter[int], room: int, per_session: int) -> list[Fetch]:
    """Claim up to `room` due files, taking sessions in turn so that a busy one delays nobody.

    `running`: session id → downloads of this worker in progress.
    """
    claimed: list[Fetch] = []
    load = Counter(running)
    while len(claimed) < room:
        turn = _one_per_session(load, per_session)[: room - len(claimed)]
        fresh = [fetch for pk in turn if (fetch := _claim(worker_id, pk)) is not None]
        if not fresh:  # nothing is due, others claimed it, or this worker is considered dead
            break
        claimed += fresh
        load.update(fetch.session_id for fetch in fresh)
    return claimed


def _due() -> QuerySet[Attachment]:
    now = timezone.now()
    due = has_come("next_try_at", now)
    return Attachment.objects.filter(_TO_FETCH, due, state=AttachmentState.REMOTE)


def _one_per_session(load: Counter[int], per_session: int) -> list[int]:
    """The oldest due file of each session with room; sessions with the least load first."""
    rows = _due().values_list("message__session").annotate(oldest=Min("pk")).order_by("oldest")
    free = [(load[session], pk) for session, pk in rows if load[session] < per_session]
    return [pk for _load, pk in sorted(free)]


def _claim(worker_id: str, pk: int) -> Fetch | None:
    with transaction.atomic():
        if not leases.is_known(worker_id):
            return None
        mine = _due().filter(pk=pk)
        if mine.update(state=AttachmentState.FETCHING, claimed_by=worker_id) != 1:
            return None
    row = Attachment.objects.select_related("message").get(pk=pk)
    try:
        item = parse_item(decrypt(row.encrypted_item).encode("ascii", "replace"))
    except DecryptionError:
        fail(pk, "sealed")
        return None
    return Fetch(
        attachment_id=pk,
        message_id=row.message_id,
        conversation_id=row.message.conversation_id,
        session_id=row.message.session_id,
        kind=row.kind,
        item=item,
        tries=row.tries,
    )


def keep(fetch: Fetch, kept: Kept) -> bool:
    """Save a stored file. False if the row changed meanwhile: the caller deletes the bytes."""
    before = Attachment.objects.get(pk=fetch.attachment_id)
    columns: dict[str, object] = {
        **kept.columns(),
        "state": AttachmentState.STORED,
        "error": kept.examined.error,
        "claimed_by": "",
        "next_try_at": None,
        "stored_at": timezone.now(),
    }
    done = settle(fetch.attachment_id, columns)
    if done:  # delete a thumbnail that may have been stored before
        storing.remove(before.stored_names())
        _retry_copies(fetch, kept)
    return done


OPENED_BY_COPY = frozenset(
    {"wrong_key", "not_there_yet", "gone", "no_address", "unsafe_host", "cdn_busy",
     "cdn_unavailable"}
)  # fmt: skip
"""Problems that a stored copy of the same file in this conversation can solve."""


def first_copy(fetch: Fetch) -> str:
    """The stored name of the same file in the same conversation, "" if there is none.

    Never from another conversation: knowing a file's MD5 gives no right to the file.
    """
    told = told_of(fetch.item)
    if not told.md5:
        return ""
    rows = Attachment.objects.filter(
        message__conversation=fetch.conversation_id, state=AttachmentState.STORED, md5=told.md5
    ).exclude(stored_name="")
    if told.size is not None:
        rows = rows.filter(size=told.size)
    return rows.order_by("pk").values_list("stored_name", flat=True).first() or ""


def _retry_copies(fetch: Fetch, kept: Kept) -> None:
    """Retry failed downloads in this conversation for which this file may be the copy."""
    same = Attachment.objects.filter(
        message__conversation=fetch.conversation_id,
        state=AttachmentState.FAILED,
        error__in=OPENED_BY_COPY,
        md5=kept.md5,
    )
    asked = [ask_again(one) for one in same if kept.md5]
    if any(asked):
        wake_workers()


def keep_thumb(fetch: Fetch, thumb_name: str, thumb_bytes: int) -> bool:
    """Save WeChat's thumbnail of a video, or of a file that is not here."""
    columns = {
        "thumb_name": thumb_name,
        "stored_bytes": F("stored_bytes") + thumb_bytes,
        "stored_at": timezone.now(),
    }
    settled = Q(state__in=[AttachmentState.STORED, AttachmentState.FAILED], thumb_name="")
    return settle(fetch.attachment_id, columns, settled)


def fail(attachment_id: int, code: str) -> None:
    """Give the download up. The row has the reason, and a user may ask again."""
    failed = {"state": AttachmentState.FAILED, "error": code}
    settle(attachment_id, {**failed, "claimed_by": "", "next_try_at": None})


def try_later(attachment_id: int, problem: Problem) -> bool:
    """Retry after the next wait. False if all tries are used up and the file has failed.

    A `Retry-After` from the server takes precedence over our own waits.
    """
    tries = Attachment.objects.values_list("tries", flat=True).get(pk=attachment_id) + 1
    if tries >= problem.most_tries or tries > len(RETRY_S):
        fail(attachment_id, problem.final or problem.code)
        return False
    asked_s = problem.retry_after_s
    wait = timedelta(seconds=RETRY_S[tries - 1] if asked_s is None else asked_s)
    settle(
        attachment_id,
        {
            "state": AttachmentState.REMOTE,
            "claimed_by": "",
            "error": problem.code,
            "tries": tries,
            "next_try_at": timezone.now() + wait,
        },
    )
    return True


def hand_back(attachment_ids: Sequence[int], worker_id: str) -> None:
    """Release claims when the worker stops; another worker, or the next start, continues."""
    mine = Attachment.objects.filter(pk__in=attachment_ids, claimed_by=worker_id)
    mine.filter(state=AttachmentState.FETCHING).update(state=AttachmentState.REMOTE, claimed_by="")


def take_back_lost() -> int:
    """Release the claims of dead workers. Downloading a file twice is harmless."""
    alive = WorkerBeat.objects.values("pk")
    fetching = Attachment.objects.filter(_TO_FETCH, state=AttachmentState.FETCHING)
    lost = fetching.exclude(claimed_by__in=alive)
    return lost.update(state=AttachmentState.REMOTE, claimed_by="")


def settle(
    attachment_id: int,
    columns: dict[str, object],
    where: Q = _BEING_FETCHED,
) -> bool:
    """Change the row and announce its message. False if the row no longer matches `where`."""
    with announcing() as change:
        message = _message_of(attachment_id)
        if message is None:
            return False
        conversation = rows.lock(message.conversation_id)
        row = Attachment.objects.filter(where, pk=attachment_id)
        if row.update(**columns) != 1:
            return False
        rows.touch_messages(change, conversation, message)
    return True


def _message_of(attachment_id: int) -> Message | None:
    return Message.objects.defer("encrypted_raw").filter(attachments=attachment_id).first()


def ask_again(attachment: Attachment) -> bool:
    """Start a failed download again at a user's request, with the full number of tries."""
    if not attachment.encrypted_item or attachment.error == "unsupported":
        return False
    return settle(
        attachment.pk,
        {
            "state": AttachmentState.REMOTE,
            "error": "",
            "tries": 0,
            "next_try_at": None,
            "claimed_by": "",
        },
        Q(state=AttachmentState.FAILED),
    )
