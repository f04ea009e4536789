"""The worker's part that has to do with files: fetching, uploading, clearing.

Its work is found in the database at least once a second; `wake()` only makes it look earlier.
"""

import asyncio
import logging
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from messaging.composing import draft_files
from messaging.media import storing
from messaging.media.limits import limits, limits_by
from messaging.media.workshop import Workshop
from messaging.receiving.client_pool import ClientPool
from messaging.transfers import downloads, retention
from messaging.transfers.fetching import MediaFetcher
from messaging.transfers.sending import MediaUploader
from sessions_app.database.database_thread import DatabaseThread, RunInDatabaseThread
from sessions_app.ilink.cdn import Cdn
from sessions_app.loops.wake_or_sweep import SWEEP_S, WakeOrSweep
from sessions_app.team_settings.limits import TeamSettings

logger = logging.getLogger(__name__)

TIDY_EVERY_S = 20.0


class MediaWork:
    """`worker_id` answers with the worker's name of this moment, "" while it has none."""

    def __init__(
        self,
        *,
        clients: ClientPool,
        worker_id: Callable[[], str],
        sweep_s: float = SWEEP_S,
        tidy_every_s: float = TIDY_EVERY_S,
    ) -> None:
        self._worker_id = worker_id
        # A thread of its own, so that replies never wait behind files.
        self._thread = DatabaseThread("media")
        self.run_in_database_thread: RunInDatabaseThread = self._thread.run
        self._workshop = Workshop(timeout_s=limits_by(TeamSettings()).workshop_timeout_s)
        self._cdn = Cdn(base_url=settings.WEILINK_CDN_URL, hosts=clients.hosts)
        self._loop = WakeOrSweep(
            every_s=sweep_s, logger=logger, error_text="files could not be looked for"
        )
        self._tidying = WakeOrSweep(
            every_s=tidy_every_s, logger=logger, error_text="old files could not be cleared"
        )
        self._tasks: list[asyncio.Task[None]] = []
        self.fetcher = MediaFetcher(
            run_in_database_thread=self.run_in_database_thread,
            cdn=self._cdn,
            workshop=self._workshop,
            wake=self.wake,
        )
        self.uploader = MediaUploader(
            run_in_database_thread=self.run_in_database_thread,
            cdn=self._cdn,
            clients=clients,
            wake=self.wake,
        )

    def wake(self) -> None:
        self._loop.wake()

    def start(self) -> None:
        jobs = (self._loop.run(self._look_around), self._tidying.run(self._tidy))
        self._tasks = [asyncio.ensure_future(job) for job in jobs]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.3)
        try:
            await self.fetcher.stop(self._worker_id())
            await self.uploader.stop(self._worker_id())
            await self._cdn.aclose()
        finally:
            self._workshop.close()
            self._thread.close()

    async def _look_around(self) -> None:
        worker_id = self._worker_id()
        if not worker_id:
            return
        await self.run_in_database_thread(downloads.take_back_lost)
        now = await self.run_in_database_thread(limits)
        await self.fetcher.fill(worker_id, now)
        await self.uploader.fill(worker_id, now)

    async def _tidy(self) -> None:
        """Old files make room; what nobody sent ends; what a killed process left goes."""
        now = await self.run_in_database_thread(limits)
        await self.run_in_database_thread(retention.clear_oldest, now.most_total_bytes)
        await self.run_in_database_thread(retention.end_uploads, timezone.now() - now.upload_kept)
        await self.run_in_database_thread(draft_files.clear_unneeded, timezone.now())
        await asyncio.to_thread(storing.sweep_incoming)
