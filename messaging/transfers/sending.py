"""Encrypts the files of queued messages and streams them to WeChat's CDN, a few at a time.

The error alone decides whether to try again. `Delivery` sends the message itself.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable

from messaging.delivering.outgoing import UPLOAD_KINDS
from messaging.media import storing
from messaging.media.limits import MediaLimits
from messaging.models import MessageKind
from messaging.receiving import doubts
from messaging.receiving.client_pool import ClientPool
from messaging.transfers import uploading
from messaging.transfers.uploading import Trouble, UploadJob
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.cdn import CHUNK_BYTES, Cdn
from sessions_app.ilink.errors import (
    CdnFinalError,
    CdnTransientError,
    GatewayError,
    ILinkError,
    RefusedError,
    SessionExpiredError,
    UnsafeHostError,
)
from sessions_app.ilink.wire import UploadedFile, UploadRequest

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
KEY_BYTES = 16


class MediaUploader:
    """`fill()` starts as many uploads as there is room for; calls `wake` when one ends."""

    def __init__(
        self,
        *,
        run_in_database_thread: RunInDatabaseThread,
        cdn: Cdn,
        clients: ClientPool,
        wake: Callable[[], None],
    ) -> None:
        self.run_in_database_thread = run_in_database_thread
        self.cdn = cdn
        self.clients = clients
        self._wake = wake
        self._running: dict[asyncio.Task[None], UploadJob] = {}

    async def fill(self, worker_id: str, limits: MediaLimits) -> None:
        """Claim files and start their uploads; does not wait for them."""
        room = limits.uploads_at_once - len(self._running)
        if room <= 0:
            return
        busy = [job.conversation_id for job in self._running.values()]
        jobs = await self.run_in_database_thread(uploading.claim, worker_id, busy=busy, room=room)
        for job in jobs:
            task = asyncio.ensure_future(self._upload(job))
            self._running[task] = job
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("an upload failed unexpectedly", exc_info=task.exception())
        self._wake()

    async def stop(self, worker_id: str) -> None:
        """Cancel running uploads and release their claims."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=0.5)
            ids = [job.attachment_id for job in running.values()]
            await self.run_in_database_thread(uploading.hand_back, ids, worker_id)

    async def _upload(self, job: UploadJob) -> None:
        try:
            await self._upload_unless_cancelled(job)
        except SessionExpiredError:
            # No message was sent, so upload again later unless the session has really expired.
            await self.run_in_database_thread(doubts.suspect, job.session_id, job.generation)
            trouble = Trouble(doubts.IN_DOUBT, "upload_failed", "")
            await self.run_in_database_thread(uploading.try_later, job, trouble)
        except RefusedError as error:
            await self._give_up(job, "upload_refused", error.errmsg or f"code {error.wire_code}")
        except (CdnFinalError, UnsafeHostError) as error:
            if not (isinstance(error, CdnFinalError) and error.may_be_lag):
                await self._give_up(job, "upload_refused", str(error))
                return
            trouble = Trouble("upload_not_taken_yet", "upload_refused", str(error))
            await self.run_in_database_thread(uploading.try_later, job, trouble)
        except FileNotFoundError:
            await self._give_up(job, "file_lost", "")
        except (ILinkError, OSError) as error:
            await self.run_in_database_thread(uploading.try_later, job, _trouble(error))
        except Exception:
            logger.exception("attachment %s could not be uploaded", job.attachment_id)
            await self._give_up(job, "upload_failed", "")

    async def _give_up(self, job: UploadJob, code: str, detail: str) -> None:
        await self.run_in_database_thread(
            uploading.give_up, job.attachment_id, job.message_id, code=code, detail=detail
        )

    async def _upload_unless_cancelled(self, job: UploadJob) -> None:
        """Upload, and stop when the message is cancelled."""
        sent = _Sent(job.size)
        carrying = asyncio.ensure_future(self._encrypt_and_send(job, sent))
        try:
            while not carrying.done():
                await asyncio.wait([carrying], timeout=PROGRESS_EVERY_S)
                if not carrying.done():
                    wanted = await self.run_in_database_thread(
                        uploading.note_progress, job, sent.percent
                    )
                    if not wanted:
                        return
            await self.run_in_database_thread(uploading.finish, job, carrying.result())
        finally:
            if not carrying.done():
                carrying.cancel()
                await asyncio.gather(carrying, return_exceptions=True)

    async def _encrypt_and_send(self, job: UploadJob, sent: "_Sent") -> UploadedFile:
        """Ask WeChat for an upload URL, then stream the encrypted file to it."""
        file_key, key = secrets.token_hex(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
        client = self.clients.of(
            job.session_id, job.generation, base_url=job.base_url, token=job.bot_token
        )
        target = await client.get_upload_url(
            UploadRequest(
                file_key=file_key,
                kind=UPLOAD_KINDS[MessageKind(job.kind)],
                to_user_id=job.to_user_id,
                size=job.size,
                md5=job.md5,
                key=key,
            )
        )
        param = await self.cdn.upload(
            target,
            file_key=file_key,
            key=key,
            source=lambda: _pieces(job.stored_name, sent),
            size=job.size,
        )
        return UploadedFile(encrypt_query_param=param, key=key, size=job.size, md5=job.md5)


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, CdnTransientError | GatewayError):
        code = "upload_busy" if error.is_busy else "upload_failed"
        return Trouble(code, "upload_failed", str(error), error.retry_after_s)
    return Trouble("upload_failed", "upload_failed", str(error))


class _Sent:
    """Counts the bytes sent; a retry starts at zero."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.bytes = 0

    @property
    def percent(self) -> int:
        return min(100, self.bytes * 100 // max(1, self._size))


async def _pieces(stored_name: str, sent: _Sent) -> AsyncGenerator[bytes, None]:
    """The plain bytes from the storage, read in threads. Raises FileNotFoundError."""
    sent.bytes = 0
    file = await asyncio.to_thread(storing.open_stored, stored_name)
    with contextlib.closing(file):
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
            sent.bytes += len(piece)
