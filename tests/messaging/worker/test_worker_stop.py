"""A worker that is told to stop stops, whatever it is doing at that moment."""

import asyncio
import time

from django.conf import settings

from messaging.worker.worker import Worker
from sessions_app.models import Team, WorkerBeat
from sessions_app.simulator.serve import SimulatorServer
from weilink_site.version import wire_identity


async def test_a_wake_up_in_the_moment_of_the_stop_does_not_keep_it(
    seeded: Team, simulator: SimulatorServer
) -> None:
    """`asyncio.wait_for` of Python 3.11 swallows a cancel that meets its result."""
    worker = Worker(identity=wire_identity(), data_dir=settings.DATA_DIR, alone=True)
    await worker.start()
    await asyncio.sleep(0.05)  # its loops now wait
    worker.wake()
    began = time.monotonic()
    await worker.stop()
    assert time.monotonic() - began < 0.9
    assert not await WorkerBeat.objects.aexists()


async def test_a_worker_stopped_before_it_started_leaves_nothing(
    seeded: Team, simulator: SimulatorServer
) -> None:
    worker = Worker(identity=wire_identity(), data_dir=settings.DATA_DIR, alone=True)
    starting = asyncio.ensure_future(worker.start())
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await worker.stop()
    assert not await WorkerBeat.objects.aexists()
