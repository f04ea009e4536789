"""The logins that this worker drives: one task for each attempt that it has claimed."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings

from messaging.receiving.client_pool import ClientPool
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.login.driver import LoginDriver
from sessions_app.sessions import leases

logger = logging.getLogger(__name__)


class Logins:
    """`claim` takes free attempts; `take_again` compares with the rows after a start-over."""

    def __init__(
        self,
        *,
        run_in_database_thread: RunInDatabaseThread,
        clients: ClientPool,
        hosts: HostPolicy,
        new_backoff: Callable[[], Backoff],
        poll_pause_s: float,
        ended: Callable[[], None],
    ) -> None:
        """`ended`: called after each login, whatever became of it."""
        self.run_in_database_thread = run_in_database_thread
        self.clients = clients
        self.hosts = hosts
        self._new_backoff = new_backoff
        self._poll_pause_s = poll_pause_s
        self._has_ended = ended
        self._driven: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}

    async def claim(self, worker_id: str) -> None:
        for attempt_id in await self.run_in_database_thread(leases.claim_logins, worker_id):
            if attempt_id not in self._driven:
                self._drive(attempt_id)

    async def take_again(self, worker_id: str) -> None:
        """After a start-over: what is still ours is driven on, what another took is dropped.

        A driver may hold a token just handed out, so none is cut that nobody else drives.
        """
        ours = await self.run_in_database_thread(leases.claim_logins, worker_id)
        for attempt_id in self._driven.keys() - set(ours):
            self._driven[attempt_id][0].cancel()
        for attempt_id in set(ours) - self._driven.keys():
            self._drive(attempt_id)

    def wake(self) -> None:
        for _, wake in self._driven.values():
            wake.set()

    def cancel(self) -> list[asyncio.Task[None]]:
        """Cancel all drivers. Returns their tasks, to be waited for."""
        tasks = [task for task, _ in self._driven.values()]
        for task in tasks:
            task.cancel()
        return tasks

    def _drive(self, attempt_id: str) -> None:
        wake = asyncio.Event()
        driver = LoginDriver(
            attempt_id,
            run_in_database_thread=self.run_in_database_thread,
            open_client=self.clients.nameless,
            hosts=self.hosts,
            start_url=self.hosts.check(settings.WEILINK_ILINK_URL),
            wake=wake,
            new_backoff=self._new_backoff,
            poll_pause_s=self._poll_pause_s,
        )
        task = asyncio.ensure_future(driver.run())
        self._driven[attempt_id] = (task, wake)
        task.add_done_callback(partial(self._ended, attempt_id))

    def _ended(self, attempt_id: str, task: asyncio.Task[None]) -> None:
        self._driven.pop(attempt_id, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("login %s ended badly", attempt_id, exc_info=task.exception())
        self._has_ended()
