"""Serves the simulator standalone: as a process of its own, or in a thread of a test.

It uses uvicorn instead of Daphne: faults must reset a TCP connection in the middle of an answer,
and uvicorn's protocol class can pass its transport to the application (`scope["state"]`). Under
Daphne, in the demo, `faults.wire` breaks the body instead. Listens on loopback by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sessions_app.simulator.app import SimulatorApp, create_app
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.faults.wire import ABORT_KEY
from sessions_app.simulator.state.wechat import SimulatedWeChat

BACKLOG = 4096
GRACE_S = 1
STARTED_WITHIN_S = 10.0
KEEP_ALIVE_S = 75
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ResettableProtocol(H11Protocol):
    """Gives the application a way to reset its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, ABORT_KEY: self.reset}

    def reset(self) -> None:
        """Send RST instead of FIN, so that the peer sees a broken connection and not an end."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()


class Server(uvicorn.Server):
    """Answers its long polls before it stops. Exits with status 0 on SIGTERM and SIGINT."""

    def __init__(self, app: SimulatorApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=ResettableProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._wechat = app.wechat

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._wechat.stop_holding()
        # Cut connections that still drip or never end: nobody waits for a fault to finish.
        asyncio.get_running_loop().call_later(GRACE_S / 2, self.cut_connections)
        await super().shutdown(sockets)

    def cut_connections(self) -> int:
        """Reset every open connection. Returns their number. On the server's loop only."""
        connections = list(self.server_state.connections)
        for connection in connections:
            if isinstance(connection, ResettableProtocol):
                connection.reset()
        return len(connections)


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket. Port 0: any free one. Raises OSError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def serve(app: SimulatorApp, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT. Stops within 2 s even if long polls are open."""
    Server(app).run(sockets=[listener])


class SimulatorServer:
    """A simulator on loopback, in a thread with its own event loop, for tests.

        with SimulatorServer() as server:
            bot = server.control.bind("Lin", notified=True)
            … WEILINK_ILINK_URL=server.url, WEILINK_CDN_URL=server.cdn_url …

    `control` is a `Control`, usable from any thread; `wechat` is the simulated WeChat behind it.
    The `wechat` of a stopped server may be served again: `SimulatorServer(server.wechat,
    port=server.port)`.
    """

    def __init__(
        self,
        wechat: SimulatedWeChat | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str | None = None,
        **options: Any,
    ) -> None:
        """`options` are passed to `SimulatedWeChat` if `wechat` is None."""
        self.wechat = wechat or SimulatedWeChat(**options)
        self.wechat.hold_again()
        self._app = create_app(self.wechat, public_url=public_url)
        self.control: Control = self._app.control
        self._listener = listen(host, port)
        self.host, self.port = self._listener.getsockname()[:2]
        self._server = Server(self._app)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(STARTED_WITHIN_S):
            raise RuntimeError("the simulator did not start")

    @property
    def url(self) -> str:
        """The value for WEILINK_ILINK_URL, without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    @property
    def cdn_url(self) -> str:
        """The value for WEILINK_CDN_URL."""
        return f"{self.url}/c2c"

    @property
    def page_url(self) -> str:
        return f"{self.url}/simulator/"

    def cut_connections(self) -> int:
        """Reset all open TCP connections at once, including long polls. Returns their number."""
        return int(self._on_loop(self._server.cut_connections))

    def stop(self) -> None:
        """Answer held requests, close and save. Returns when the port is free again."""
        self._server.should_exit = True
        self._thread.join(10)

    def __enter__(self) -> SimulatorServer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _on_loop(self, function: Callable[[], int]) -> int:
        assert self._loop is not None

        async def call() -> int:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(5)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._loop.call_soon(self._ready.set)
            runner.run(self._server.serve(sockets=[self._listener]))
