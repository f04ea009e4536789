"""Workers run on uvloop, whichever command started them."""

import asyncio

import uvloop
from channels.layers import get_channel_layer

from weilink_site.management.commands.poller import PollerWorker


class Noting(PollerWorker):
    """Notes its loop instead of working."""

    loop: asyncio.AbstractEventLoop

    async def handle(self) -> None:
        self.loop = asyncio.get_running_loop()


def test_a_poller_runs_on_uvloop() -> None:
    worker = Noting(None, ["workers"], get_channel_layer())
    worker.run()
    assert isinstance(worker.loop, uvloop.Loop)
