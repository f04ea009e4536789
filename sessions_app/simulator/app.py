"""The ASGI application: the bot protocol, the CDN, the page and the control interface.

If mounted under a prefix (the server sets root_path), everything is below it, with the page at its
root. Otherwise the API is at the root and the page below `/simulator/`. Never imports Django.
"""

from __future__ import annotations

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from sessions_app.simulator.addresses import mount_of
from sessions_app.simulator.control.api import ControlApi
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.control.scripts import ScriptedPeople
from sessions_app.simulator.faults.wire import FaultLayer
from sessions_app.simulator.page import routes as page
from sessions_app.simulator.state.wechat import SimulatedWeChat
from sessions_app.simulator.wire.api import WireApi


class SimulatorApp:
    """Two sets of routes to one simulated WeChat: for the mounted and the standalone case."""

    def __init__(self, wechat: SimulatedWeChat, public_url: str | None) -> None:
        self.wechat = wechat
        self.scripts = ScriptedPeople(wechat)
        self.control = Control(wechat, on_reset=self.scripts.forget)
        self._wire = WireApi(wechat, public_url)
        self._mounted = self._routes("")
        self._alone = self._routes("/simulator")

    def _routes(self, at: str) -> FaultLayer:
        api = ControlApi(self.control)
        routes = [*self._wire.routes(), *api.routes(at), *page.routes(at)]
        return FaultLayer(Router(routes, redirect_slashes=False), self.wechat)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            app = self._mounted if mount_of(scope) else self._alone
            await app(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            word = (await receive())["type"]
            if word == "lifespan.shutdown":
                self.close()
            await send({"type": f"{word}.complete"})
            if word == "lifespan.shutdown":
                return

    def close(self) -> None:
        """Stop the scripted people, answer held requests and save the state."""
        self.scripts.stop()
        self.wechat.close()


def create_app(
    wechat: SimulatedWeChat | None = None,
    *,
    public_url: str | None = None,
    scripted: bool | None = None,
) -> SimulatorApp:
    """Create the application for `wechat` (a new one if None).

    `public_url`: the base of URLs in answers, with or without the mount's prefix; None: the Host of
    each request. `scripted`: whether the scripted people write; None: as `wechat` was created. The
    application has `.wechat`, `.control` and `.close()`.
    """
    wechat = wechat or SimulatedWeChat()
    if scripted is not None:
        with wechat.lock:
            wechat.switches.scripts_on = scripted
    return SimulatorApp(wechat, public_url)
