"""The worker of `manage.py console` as a process of its own, so that pages do not hold up polls.

The two processes share the database and one socket. The socket carries hints where there is no
Redis, and tells each process that the other one is gone. The worker ends with its console, also
when the console is killed.
"""

import asyncio
import contextlib
import ctypes
import gc
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import NoReturn

from channels.layers import get_channel_layer
from django.conf import settings

from messaging.worker.worker import Worker
from sessions_app.monitoring import snapshots
from sessions_app.realtime import streams
from sessions_app.realtime.linked_layer import LinkedChannelLayer
from weilink_site.version import wire_identity

logger = logging.getLogger(__name__)

STOP_S = 8.0
"""A worker that has not stopped by then is killed."""
AGAIN_S = (1.0, 2.0, 5.0, 10.0)
"""How long to wait before a worker that ended by itself is started again."""
STEADY_S = 60.0
"""A worker that ran so long is started again at once."""
FREEZE_EVERY_S = 30.0
LOOK_EVERY_S = 0.02
GO = b"g"
"""What a forked worker waits for."""
PR_SET_PDEATHSIG = 1


class Forked:
    """A child that was forked, with what `subprocess.Popen` offers of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout if timeout is not None else math.inf
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("worker", timeout or 0.0)
            time.sleep(LOOK_EVERY_S)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class WorkerProcess:
    """The console's side. `prepare()` and `begin()` come before its event loop, the rest inside."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._end: socket.socket | None = None
        self._stopping = False

    def prepare(self) -> None:
        """Fork, where that is safe: nothing is loaded twice, and what is loaded is shared memory.

        Call this before anything has opened a connection or started a thread. The child waits for
        `begin`, and ends if the console does.
        """
        if sys.platform != "linux" or threading.active_count() > 1:
            return
        ours, theirs = socket.socketpair()
        console = os.getpid()
        gc.collect()
        gc.freeze()  # a collection in either process would copy the memory that they share
        child = os.fork()
        if not child:
            ours.close()
            _be_forked_worker(theirs, console)
        theirs.close()
        self._process, self._end = Forked(child), ours

    def begin(self) -> None:
        """Let the worker work: the data is ready."""
        if self._end is not None:
            self._end.sendall(GO)
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "django", "console_worker",
                 "--link", str(theirs.fileno()), "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
            )  # fmt: skip
        self._end = ours

    async def run(self) -> None:
        """Stay linked to the worker, and start it again if it ends by itself."""
        streams.attach_loop(asyncio.get_running_loop())
        failures = 0
        while True:
            if self._end is None:
                self.begin()
            assert self._end is not None
            began = asyncio.get_running_loop().time()
            await until_gone(self._end)
            self._end = None
            if self._stopping:
                return
            status = await self._ended(STOP_S)
            lasted = asyncio.get_running_loop().time() - began
            failures = 0 if lasted > STEADY_S else failures + 1
            wait_s = AGAIN_S[min(failures, len(AGAIN_S)) - 1] if failures else 0.0
            logger.error("the worker ended (status %s); it starts again in %.0f s", status, wait_s)
            await asyncio.sleep(wait_s)

    async def stop(self) -> None:
        """Stop the worker in order; after `STOP_S` kill it."""
        self._stopping = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            await self._ended(STOP_S)
        streams.attach_loop(None)

    async def _ended(self, within_s: float) -> int:
        """The exit status. A process that does not end within this time is killed."""
        process = self._process
        assert process is not None
        try:
            return await asyncio.to_thread(process.wait, within_s)
        except subprocess.TimeoutExpired:
            logger.error("the worker did not stop within %.0f s; it is killed", within_s)
            process.kill()
            return await asyncio.to_thread(process.wait)


async def until_gone(end: socket.socket) -> None:
    """Returns when the other process is gone. Until then hints pass, where there is no Redis."""
    layer = get_channel_layer()
    if isinstance(layer, LinkedChannelLayer):
        await layer.link(end)
        return
    reader, writer = await asyncio.open_unix_connection(sock=end)
    with contextlib.suppress(ConnectionError):
        while await reader.read(1024):
            pass
    writer.close()


def end_with(parent: int) -> None:
    """End at once when the process `parent` ends, as if both were one. Linux only.

    Elsewhere the end of the link stops the worker.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _be_forked_worker(link: socket.socket, console: int) -> NoReturn:
    """Never returns into the code of the console."""
    status = 1
    try:
        end_with(console)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if link.recv(len(GO)) == GO:
            run_worker_of_console(link)
        status = 0
    except BaseException:
        logger.exception("the worker failed")
    finally:
        logging.shutdown()
        os._exit(status)


def run_worker_of_console(link: socket.socket) -> None:
    """Run the worker until SIGTERM, or until the console is gone.

    Ctrl+C reaches both processes; the console then stops its worker.
    """
    snapshots.set_role("worker")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(work([signal.SIGTERM], alone=True, link=link))


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where it is built for this machine: many polls cost a third less with it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def work(
    stop_on: Sequence[int], *, alone: bool = False, link: socket.socket | None = None
) -> None:
    """One worker until one of these signals, or until `link` ends.

    Raises what kept the worker from starting.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in stop_on:
        loop.add_signal_handler(number, stop.set)
    worker = Worker(identity=wire_identity(), data_dir=settings.DATA_DIR, alone=alone)
    working = asyncio.ensure_future(_work(worker))
    jobs = [working, asyncio.ensure_future(stop.wait())]
    if link is not None:
        jobs.append(asyncio.ensure_future(until_gone(link)))
    await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    for job in jobs:
        job.cancel()
    await asyncio.wait(jobs)
    await worker.stop()
    if not working.cancelled():
        working.result()


async def _work(worker: Worker) -> None:
    await worker.start()
    frozen = -1
    while True:
        await asyncio.sleep(FREEZE_EVERY_S)
        # What lives as long as a poll leaves the garbage collector: a full collection among 1,000
        # polls would block the event loop for 0.15 s.
        if (count := worker.polls.count) > frozen:
            gc.collect()
            gc.freeze()
            frozen = count
