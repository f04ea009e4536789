"""One poll loop on the simulated WeChat, with pauses that are noted instead of waited for."""

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from messaging.receiving.binding import Binding, Heard
from messaging.receiving.poller import Poller
from messaging.receiving.recorder import Recorder
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.models import Session
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import in_thread
from tests.messaging.builders import make_session
from weilink_site.version import wire_identity

MAX_BODY_BYTES = 1024 * 1024
Given = ParamSpec("Given")
Result = TypeVar("Result")


def bound_session(server: SimulatorServer, account: str) -> tuple[Session, dict[str, Any]]:
    """A session of our database and its bot at WeChat, as after a scan by this phone."""
    bot = server.control.bind(account, notified=True)
    session = make_session(f"Shop of {account}")
    session.bot_id, session.token, session.base_url = bot["bot_id"], bot["token"], server.url
    session.save()
    return session, bot


async def _run_in_database_thread(
    function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    result: Result = await in_thread(function)(*args, **kwargs)
    return result


class Rig:
    """`pauses`: seconds the loop wanted to wait; `states`: the session's state at each of them."""

    def __init__(self, server: SimulatorServer, session: Session, recorder: Recorder) -> None:
        self.session = session
        self.pauses: list[float] = []
        self.states: list[str] = []
        self.heard: dict[Binding, Heard] = {}
        self.client = ILinkClient(
            base_url=server.url,
            token=session.token,
            identity=wire_identity(),
            hosts=HostPolicy(server.url, server.cdn_url),
            max_body_bytes=MAX_BODY_BYTES,
        )
        binding = Binding(session.pk, session.generation, session.cursor, session.hold_ms)
        self.poller = Poller(
            binding,
            client=self.client,
            recorder=recorder,
            run_in_database_thread=_run_in_database_thread,
            heard=self.heard,
            backoff=Backoff(lambda: 0.5),
            sleep=self._pause,
        )
        self.task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        self.task = asyncio.ensure_future(self.poller.run())
        return self.task

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.client.aclose()

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        session = await Session.objects.aget(pk=self.session.pk)
        self.states.append(session.state)
