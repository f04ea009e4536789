"""Fetches what people sent from WeChat's CDN, as soon as its message is stored: links there die.

A few at a time, the sessions in turn, in constant memory. It decides from the error alone whether
to try again, and never lets a file become more than a row with a reason.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from messaging.media import shelf, storing
from messaging.media.examining import Examined, as_sent, examine
from messaging.media.limits import MediaLimits
from messaging.media.shelf import Fetch, Kept
from messaging.media.workshop import Workshop
from sessions_app.ilink.cdn import Cdn
from sessions_app.ilink.errors import (
    CdnFinalError,
    CdnTooLargeError,
    CdnTransientError,
    CryptoError,
    UnsafeHostError,
)
from sessions_app.ilink.wire import ItemKind, Media

logger = logging.getLogger(__name__)

WRITE_BYTES = 512 * 1024
CUT_TRIES = 3
"""A key that does not fit may be a download that was cut where a block ends: tried again."""

Desk = Callable[..., Awaitable[Any]]


class MediaFetcher:
    """`fill()` starts what there is room for; `wake` is called when something ended."""

    def __init__(
        self, *, desk: Desk, cdn: Cdn, workshop: Workshop, wake: Callable[[], None]
    ) -> None:
        self.desk = desk
        self.cdn = cdn
        self.workshop = workshop
        self._wake = wake
        self._running: dict[asyncio.Task[None], Fetch] = {}

    async def fill(self, worker_id: str, limits: MediaLimits) -> None:
        """Claim and start; returns at once."""
        room = limits.fetches_at_once - len(self._running)
        if room <= 0:
            return
        load = Counter(fetch.session_id for fetch in self._running.values())
        claims: list[Fetch] = await self.desk(
            shelf.claim, worker_id, running=load, room=room, per_session=limits.fetches_per_session
        )
        for fetch in claims:
            task = asyncio.ensure_future(self._fetch(fetch, limits))
            self._running[task] = fetch
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a fetch ended badly", exc_info=task.exception())
        self._wake()

    async def stop(self, worker_id: str) -> None:
        """Cut what runs and hand it back: it is fetched again after the next start."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=0.5)
            ids = [fetch.attachment_id for fetch in running.values()]
            await self.desk(shelf.hand_back, ids, worker_id)

    async def _fetch(self, fetch: Fetch, limits: MediaLimits) -> None:
        """Whatever goes wrong, a living worker leaves nothing in `fetching`."""
        try:
            problem = await self._bring(fetch, limits)
        except Exception:
            logger.exception("attachment %s could not be fetched", fetch.attachment_id)
            problem = ("internal", CUT_TRIES)
        if problem is None:
            return
        code, most_tries = problem
        await self.desk(shelf.try_later, fetch.attachment_id, code, most_tries=most_tries)
        if most_tries == 1:
            await self._bring_thumb(fetch, limits)

    async def _bring(self, fetch: Fetch, limits: MediaLimits) -> tuple[str, int] | None:
        """None when it is here; else why not, and after how many tries to give up."""
        media = fetch.item.media
        if media is None:
            return ("no_address", 1)
        most = limits.incoming(fetch.kind)
        if (fetch.item.size or 0) > most:
            return ("too_large", 1)
        often = len(shelf.RETRY_S) + 1
        try:
            with storing.workplace() as folder:
                path = folder / "file"
                await self._download(media, path, most, limits.fetch_deadline_s)
                rate = fetch.item.sample_rate or 0
                found = await examine(path, workshop=self.workshop, limits=limits, rate=rate)
                await self._store(fetch, path, as_sent(found, fetch.kind))
        except CdnTooLargeError:
            return ("too_large", 1)
        except CdnFinalError:
            return ("gone", 1)
        except UnsafeHostError:
            return ("unsafe_host", 1)
        except CryptoError:
            return ("wrong_key", CUT_TRIES)
        except CdnTransientError:
            return ("cdn_unavailable", often)
        except OSError:
            logger.exception("attachment %s could not be written", fetch.attachment_id)
            return ("no_room", often)
        if fetch.item.kind is ItemKind.VIDEO:
            await self._bring_thumb(fetch, limits)
        return None

    async def _download(self, media: Media, path: Path, max_bytes: int, deadline_s: float) -> None:
        """Decrypted piece by piece; nothing of a download that raised is kept."""
        chunks = self.cdn.download(media, max_bytes=max_bytes, deadline_s=deadline_s)
        waiting = bytearray()
        with await asyncio.to_thread(path.open, "wb") as file:
            async with contextlib.aclosing(chunks):
                async for chunk in chunks:
                    waiting += chunk
                    if len(waiting) >= WRITE_BYTES:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))

    async def _store(self, fetch: Fetch, path: Path, found: Examined) -> None:
        kept = await asyncio.to_thread(into_storage, path, found)
        if not await self.desk(shelf.keep, fetch, kept):
            await asyncio.to_thread(storing.remove, kept.names())

    async def _bring_thumb(self, fetch: Fetch, limits: MediaLimits) -> None:
        """WeChat's small picture: a video's poster, or what is left of a picture that is lost."""
        thumb = fetch.item.thumb
        if thumb is None:
            return
        try:
            with storing.workplace() as folder:
                path = folder / "file"
                await self._download(thumb, path, limits.most_thumb_bytes, limits.fetch_deadline_s)
                found = await examine(path, workshop=self.workshop, limits=limits, rate=0)
                if found.thumb is not None:
                    await self._store_thumb(fetch, found.thumb)
        except Exception as problem:
            # The file itself is settled; a missing poster is no reason to say anything.
            logger.info("no thumbnail for attachment %s: %r", fetch.attachment_id, problem)

    async def _store_thumb(self, fetch: Fetch, thumb: Path) -> None:
        name, size = await asyncio.to_thread(_take_in_thumb, thumb)
        if not await self.desk(shelf.keep_thumb, fetch, name, size):
            await asyncio.to_thread(storing.remove, [name])


def _take_in_thumb(thumb: Path) -> tuple[str, int]:
    size = thumb.stat().st_size
    return storing.take_in(thumb), size


def into_storage(path: Path, found: Examined) -> Kept:
    """Move a file and what was made of it into the storage; in a thread, it waits for the disk."""
    stored_bytes = found.size
    names = {"thumb_name": "", "sound_name": ""}
    for column, made in (("thumb_name", found.thumb), ("sound_name", found.sound)):
        if made is not None:
            stored_bytes += made.stat().st_size
            names[column] = storing.take_in(made)
    return Kept(found, storing.take_in(path), stored_bytes=stored_bytes, **names)
