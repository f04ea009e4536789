"""`manage.py poller`: one worker in a process of its own, based on Channels' `runworker`.

Start any number on one database. With WEILINK_STORE=database each leases a part of the sessions;
with `files` one of them receives and the others stand by.
"""

import asyncio
import contextlib
import signal
import sys
from typing import Any

from channels.management.commands import runworker
from channels.worker import Worker as ChannelsWorker
from django.core.management.base import CommandParser
from django.db import connections

from sessions_app.monitoring import snapshots
from weilink_site.host import preflight
from weilink_site.worker_process import new_event_loop, work


class PollerWorker(ChannelsWorker):  # type: ignore[misc]
    """Runs the worker component itself and stops it in order.

    Channels' own worker creates no consumer before a message arrives, and dies on SIGTERM.
    """

    def run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self.arun())

    async def handle(self) -> None:
        await work([signal.SIGTERM, signal.SIGINT])


class Command(runworker.Command):  # type: ignore[misc]
    help = "Runs one worker: polls, logins, sends. Needs REDIS_URL to be heard by the pages."
    worker_class = PollerWorker

    def add_arguments(self, parser: CommandParser) -> None:
        parser.set_defaults(layer="default", channels=["workers"])

    def handle(self, *args: Any, **options: Any) -> None:
        if reason := preflight.of_poller():
            self.stderr.write(reason)
            sys.exit(1)
        snapshots.set_role("poller")
        connections.close_all()
        with contextlib.suppress(asyncio.CancelledError):
            super().handle(*args, **options)
