"""`manage.py poller`: one worker in a process of its own, under Channels' `runworker`.

Start as many as you like on one database. With WEILINK_STORE=database sessions are leased one by
one; with `files` one of them receives, and the others stand by.
"""

import asyncio
import contextlib
import signal
import sys
from typing import Any

from channels.management.commands import runworker
from channels.worker import Worker as ChannelsWorker
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections

from messaging.worker.worker import Worker
from weilink_site.host import preflight
from weilink_site.version import wire_identity


class PollerWorker(ChannelsWorker):  # type: ignore[misc]
    """The stock worker has no consumer until a message comes and dies on SIGTERM; this one runs
    the component itself and stops it in order."""

    async def handle(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        worker = Worker(identity=wire_identity(), data_dir=settings.DATA_DIR)
        await worker.start()
        try:
            await stop.wait()
        finally:
            await worker.stop()


class Command(runworker.Command):  # type: ignore[misc]
    help = "Runs one worker: polls, logins, sends. Needs REDIS_URL to be heard by the pages."
    worker_class = PollerWorker

    def add_arguments(self, parser: CommandParser) -> None:
        parser.set_defaults(layer="default", channels=["workers"])

    def handle(self, *args: Any, **options: Any) -> None:
        if reason := preflight.of_poller():
            self.stderr.write(reason)
            sys.exit(1)
        connections.close_all()
        with contextlib.suppress(asyncio.CancelledError):
            super().handle(*args, **options)
