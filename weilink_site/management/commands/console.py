"""`manage.py console`: the web part in this process, the worker in a child process.

The port is bound first, so that a port in use is reported before anything is started. The worker
starts after that, and stops before the server does.
"""

import asyncio
import logging
import socket
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from sessions_app.monitoring import snapshots
from sessions_app.team_settings.limits import team_settings
from weilink_site import first_run
from weilink_site.daphne import listening
from weilink_site.host import places, preflight
from weilink_site.host.data_lock import DataInUse, DataLock
from weilink_site.worker_process import WorkerProcess

logger = logging.getLogger(__name__)

KEEP_LOCK_S = 2.0


class Command(BaseCommand):
    help = "Serves the console: pages and websockets, with the worker in a process of its own."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=settings.HOST.port)

    def handle(self, *args: Any, **options: Any) -> None:
        worker = WorkerProcess()
        worker.prepare()
        host, port = options["host"], options["port"]
        if settings.DEMO and port != settings.HOST.port:
            self._fail(f"The demo takes its port from PORT: PORT={port} make demo")
        listener = self._bind(host, port)
        if reason := preflight.of_console():
            self._fail(reason)
        lock = DataLock()
        try:
            first_run_order(lock)
        except DataInUse:
            self._fail("Another console runs on this data already; stop it first.")
        if reason := preflight.another_host():
            self._fail(reason)
        self._greet(port)
        snapshots.set_role("console")
        team_settings()  # load the settings before the first upload is measured by them
        connections.close_all()  # from here on this thread runs the event loop and does no queries
        serve(listener, port, lock, worker)

    def _bind(self, host: str, port: int) -> socket.socket:
        try:
            return listening.bound(host, port)
        except OSError as error:
            reason = error.strerror or str(error)
            another = port + 1 if port < 65535 else settings.HOST.port
            start = "make demo" if settings.DEMO else "make run"
            if places.IS_INSTALLED:
                start = "weilink-console console"
            self._fail(
                f"Port {port} on {host} cannot be used ({reason}); choose another: "
                f"PORT={another} {start}"
            )

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)

    def _greet(self, port: int) -> None:
        if not settings.DEMO:
            first_run.first_administrator(self.stdout.write)
            address = settings.HOST.public_url or f"http://localhost:{port}"
            self.stdout.write(f"WeiLink Console: {address}")
            self.stdout.flush()
            return
        from weilink_site.demo import name_the_people

        username, password = first_run.demo_login(settings.DATA_DIR / "login.txt")
        name_the_people()
        address = f"http://localhost:{port}"
        self.stdout.write(f"WeiLink Console, the demo: {address}")
        self.stdout.write(f"Log in as {username} with the password {password}")
        self.stdout.write(f"Simulated phones: {address}/simulator/   (Ctrl+C stops it all)")
        self.stdout.flush()


def first_run_order(lock: DataLock) -> None:
    """Take the lock, then prepare the data: two consoles must not migrate one schema at once.

    Raises DataInUse.
    """
    lock.take()
    first_run.prepare_data()


async def keep(lock: DataLock) -> None:
    """Take the lock again if a restart of the database server released it.

    Otherwise another console could start on this data.
    """
    while True:
        await asyncio.sleep(KEEP_LOCK_S)
        try:
            await asyncio.to_thread(lock.keep)
        except DataInUse:
            logger.error("another console has started on this data; stop one of them")
        except Exception:
            logger.warning("cannot take the lock of this data again yet", exc_info=True)


def serve(listener: socket.socket, port: int, lock: DataLock, worker: WorkerProcess) -> None:
    """Run Daphne's server and the worker until SIGTERM or Ctrl+C."""
    worker.begin()
    from daphne.server import Server
    from twisted.internet import defer, reactor

    from weilink_site import asgi

    application = asgi.application
    simulated: Any = None
    if settings.DEMO:
        from weilink_site.demo import simulated_wechat

        simulated = simulated_wechat(port)
        application = asgi.mounted(application, simulated)
    running: list[asyncio.Task[None]] = []

    def start_soon() -> None:
        running.extend([asyncio.ensure_future(worker.run()), asyncio.ensure_future(keep(lock))])

    async def stop() -> None:
        await worker.stop()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if simulated is not None:
            simulated.close()

    def stop_soon() -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(stop()))

    reactor.addSystemEventTrigger("before", "shutdown", stop_soon)  # type: ignore[arg-type]
    Server(
        application=application,
        endpoints=listening.adopt(listener),
        ready_callable=start_soon,
        application_close_timeout=2,
        verbosity=0,
        server_name="WeiLinkConsole",
    ).run()
