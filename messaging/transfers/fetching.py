"""Downloads received files from WeChat's CDN as soon as their message is stored: links expire.

Runs a few downloads at a time, taking sessions in turn, in constant memory. The error alone decides
whether to try again. A file that fails stays a row with a reason.
"""

import asyncio
import contextlib
import logging
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from messaging.media import storing
from messaging.media.examining import Examined, as_announced, as_sent, examine
from messaging.media.limits import MediaLimits
from messaging.media.workshop import Workshop
from messaging.transfers import downloads
from messaging.transfers.downloads import Fetch, Kept, Problem
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.cdn import Cdn
from sessions_app.ilink.errors import (
    CdnFinalError,
    CdnTooLargeError,
    CdnTransientError,
    CryptoError,
    UnsafeHostError,
)
from sessions_app.ilink.opening import Opened, Told, decrypt_file, told_of
from sessions_app.ilink.wire import ItemKind, Media

logger = logging.getLogger(__name__)

WRITE_BYTES = 512 * 1024
CUT_TRIES = 3
"""A wrong key may mean that the download was cut at a block's end, so it is tried again."""
_OFTEN = 99
"""Unlimited: the number of waits decides."""

NOTHING_TOLD = Told(ItemKind.FILE)


class MediaFetcher:
    """`fill()` starts as many downloads as there is room for; calls `wake` when one ends."""

    def __init__(
        self,
        *,
        run_in_database_thread: RunInDatabaseThread,
        cdn: Cdn,
        workshop: Workshop,
        wake: Callable[[], None],
    ) -> None:
        self.run_in_database_thread = run_in_database_thread
        self.cdn = cdn
        self.workshop = workshop
        self._wake = wake
        self._running: dict[asyncio.Task[None], Fetch] = {}

    async def fill(self, worker_id: str, limits: MediaLimits) -> None:
        """Claim files and start their downloads; does not wait for them."""
        room = limits.fetches_at_once - len(self._running)
        if room <= 0:
            return
        load = Counter(fetch.session_id for fetch in self._running.values())
        claims = await self.run_in_database_thread(
            downloads.claim,
            worker_id,
            running=load,
            room=room,
            per_session=limits.fetches_per_session,
        )
        for fetch in claims:
            task = asyncio.ensure_future(self._fetch(fetch, limits))
            self._running[task] = fetch
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a download failed unexpectedly", exc_info=task.exception())
        self._wake()

    async def stop(self, worker_id: str) -> None:
        """Cancel running downloads and release their claims, so that they start again later."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=0.5)
            ids = [fetch.attachment_id for fetch in running.values()]
            await self.run_in_database_thread(downloads.hand_back, ids, worker_id)

    async def _fetch(self, fetch: Fetch, limits: MediaLimits) -> None:
        """Download one file. Whatever fails, no row stays `fetching` while the worker lives."""
        try:
            problem = await self._download_and_store(fetch, limits)
            if problem is not None and problem.code in downloads.OPENED_BY_COPY:
                problem = None if await self._store_copy(fetch, limits) else problem
        except Exception:
            logger.exception("attachment %s could not be fetched", fetch.attachment_id)
            problem = Problem("internal", CUT_TRIES)
        if problem is None:
            return
        if not await self.run_in_database_thread(downloads.try_later, fetch.attachment_id, problem):
            await self._fetch_thumb(fetch, limits)

    async def _download_and_store(self, fetch: Fetch, limits: MediaLimits) -> Problem | None:
        """None when the file is stored; else why not, and how many tries it may have."""
        media = fetch.item.media
        if media is None:
            return Problem("no_address", 1)
        most = limits.incoming(fetch.kind)
        if (fetch.item.size or 0) > most:
            return Problem("too_large", 1)
        try:
            with storing.workplace() as folder:
                opened = await self._download(
                    media,
                    folder / "file",
                    most,
                    limits.fetch_deadline_s,
                    told=told_of(fetch.item),
                    # The last try takes a truncated file as it is.
                    takes_cut=fetch.tries + 1 >= CUT_TRIES,
                )
                found = await self._examined(folder / "file", fetch, limits, opened)
        except CdnTooLargeError:
            return Problem("too_large", 1)
        except CdnFinalError as error:
            return _problem_of(error)
        except UnsafeHostError:
            return Problem("unsafe_host", 1)
        except CryptoError:
            return Problem("wrong_key", CUT_TRIES)
        except CdnTransientError as error:
            code = "cdn_busy" if error.is_busy else "cdn_unavailable"
            return Problem(code, _OFTEN, "cdn_unavailable", error.retry_after_s)
        except OSError:
            logger.exception("attachment %s could not be written", fetch.attachment_id)
            return Problem("no_room", _OFTEN)
        if fetch.item.kind is ItemKind.VIDEO or found.error:
            await self._fetch_thumb(fetch, limits)
        return None

    async def _store_copy(self, fetch: Fetch, limits: MediaLimits) -> bool:
        """Use the same file if it was sent in this conversation before and is stored."""
        name = await self.run_in_database_thread(downloads.first_copy, fetch)
        if not name:
            return False
        try:
            with storing.workplace() as folder:
                opened = await asyncio.to_thread(_copy_stored, name, folder / "file")
                await self._examined(folder / "file", fetch, limits, opened)
        except OSError:
            logger.exception("attachment %s could not be copied", fetch.attachment_id)
            return False
        return True

    async def _examined(
        self, path: Path, fetch: Fetch, limits: MediaLimits, opened: Opened
    ) -> Examined:
        """Examine the decrypted file and store it."""
        rate = fetch.item.sample_rate or 0
        found = await examine(path, workshop=self.workshop, limits=limits, rate=rate)
        found = as_announced(as_sent(found, fetch.kind), fetch.item.duration_ms)
        told_size = fetch.item.size
        if opened.is_cut or (told_size is not None and opened.size < told_size):
            found = replace(found, is_incomplete=True)
        await self._store(fetch, path, found, opened.md5)
        return found

    async def _download(
        self,
        media: Media,
        path: Path,
        max_bytes: int,
        deadline_s: float,
        *,
        told: Told = NOTHING_TOLD,
        takes_cut: bool = False,
    ) -> Opened:
        """Stream to disk, then decrypt. On an error nothing of the download is kept."""
        chunks = self.cdn.download_encrypted(media, max_bytes=max_bytes, deadline_s=deadline_s)
        waiting, encrypted = bytearray(), path.with_name(f"{path.name}.sealed")
        with await asyncio.to_thread(encrypted.open, "wb") as file:
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    waiting += chunk
                    if len(waiting) >= WRITE_BYTES:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
        return await asyncio.to_thread(
            _open, encrypted, path, media=media, told=told, takes_cut=takes_cut
        )

    async def _store(self, fetch: Fetch, path: Path, found: Examined, md5: str) -> None:
        kept = await asyncio.to_thread(into_storage, path, found, md5)
        if not await self.run_in_database_thread(downloads.keep, fetch, kept):
            await asyncio.to_thread(storing.remove, kept.names())

    async def _fetch_thumb(self, fetch: Fetch, limits: MediaLimits) -> None:
        """Store WeChat's thumbnail: a video's poster, or a stand-in for a lost picture."""
        thumb = fetch.item.thumb
        if thumb is None:
            return
        try:
            with storing.workplace() as folder:
                path = folder / "file"
                most, deadline_s = limits.most_thumb_bytes, limits.fetch_deadline_s
                told = Told(ItemKind.IMAGE)
                await self._download(thumb, path, most, deadline_s, told=told, takes_cut=True)
                found = await examine(path, workshop=self.workshop, limits=limits, rate=0)
                if found.thumb is not None:
                    await self._store_thumb(fetch, found.thumb)
        except Exception as problem:
            # The file itself is stored; a missing thumbnail is not worth an error.
            logger.info("no thumbnail for attachment %s: %r", fetch.attachment_id, problem)

    async def _store_thumb(self, fetch: Fetch, thumb: Path) -> None:
        name, size = await asyncio.to_thread(_take_in_thumb, thumb)
        if not await self.run_in_database_thread(downloads.keep_thumb, fetch, name, size):
            await asyncio.to_thread(storing.remove, [name])


def _take_in_thumb(thumb: Path) -> tuple[str, int]:
    size = thumb.stat().st_size
    return storing.take_in(thumb), size


def _problem_of(error: CdnFinalError) -> Problem:
    """A 403 or 404 may mean that the CDN lags behind; any other refusal is final."""
    if error.may_be_lag:
        return Problem("not_there_yet", downloads.GONE_TRIES, "gone")
    return Problem("gone", 1)


def _open(encrypted: Path, path: Path, *, media: Media, told: Told, takes_cut: bool) -> Opened:
    """Decrypt into `path` and delete `encrypted`. Raises CryptoError.

    CdnTransientError: a gateway on the way gave a page of its own, or nothing.
    """
    with encrypted.open("rb") as source, path.open("w+b") as target:
        try:
            opened = decrypt_file(source, target, media=media, told=told, takes_cut=takes_cut)
        except CryptoError:
            source.seek(0)
            if _is_a_page(source.read(256)):
                raise CdnTransientError("A page came in place of the file.") from None
            raise
    encrypted.unlink()
    return opened


def _is_a_page(head: bytes) -> bool:
    begins = head.lstrip().lower()
    return not begins or begins.startswith((b"<!doctype html", b"<html"))


def _copy_stored(name: str, path: Path) -> Opened:
    with storing.open_stored(name) as stored, path.open("wb") as file:
        shutil.copyfileobj(stored, file, WRITE_BYTES)
    return Opened(path.stat().st_size, storing.md5_of(path))


def into_storage(path: Path, found: Examined, md5: str) -> Kept:
    """Move a file with its thumbnail and sound into the storage. Blocking: run it in a thread."""
    stored_bytes = found.size
    names = {"thumb_name": "", "sound_name": ""}
    for column, made in (("thumb_name", found.thumb), ("sound_name", found.sound)):
        if made is not None:
            stored_bytes += made.stat().st_size
            names[column] = storing.take_in(made)
    return Kept(found, storing.take_in(path), stored_bytes=stored_bytes, md5=md5, **names)
