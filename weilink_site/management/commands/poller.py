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
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections

from messaging.worker.worker import Worker
from weilink_site.host import preflight
from weilink_site.version import wire_identity


class PollerWorker(ChannelsWorker):  # type: ignore[misc]
    """Runs the worker component itself and stops it in order.

    Channels' own worker creates no consumer before a message arrives, and dies on SIGTERM.
    """

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
