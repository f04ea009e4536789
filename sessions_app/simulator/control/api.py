"""The control panel over HTTP: `GET control/<read>?…` and `POST control/<verb>` with a JSON object.

The members of the query or the object are the arguments of the `Control` method of the same name
(README.md has the table). A POST must be `application/json`: a page of another site may not send
that without a CORS preflight, which is never allowed here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sessions_app.simulator.control import customers
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.errors import BadValueError, SimulatorError
from sessions_app.simulator.wire.api import json_response, watch_connection

READS = (
    "accounts",
    "bot",
    "bots",
    "chat",
    "clock",
    "faults",
    "login",
    "logins",
    "people",
    "polls",
    "requests",
    "seen",
    "sends",
    "switches",
    "violations",
)
VERBS = (
    "add_account",
    "add_fault",
    "add_person",
    "advance",
    "bind",
    "clear_faults",
    "clear_violations",
    "confirm",
    "end_bot",
    "expire",
    "inject",
    "refuse",
    "repeat_last",
    "reset",
    "scan",
    "switches",
    "write",
)
STATE_WAIT_S = 20.0
SETTLE_S = 0.08
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}

Endpoint = Callable[[Request], Awaitable[Response]]


class ControlApi:
    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self, page: str) -> list[Route]:
        """The routes. `page`: the path of the simulator's page, without a trailing slash."""
        at = f"{page}/control"
        return [
            Route(f"{at}/state", self._with_errors(self._state), methods=["GET"]),
            Route(f"{at}/media", self._with_errors(self._media), methods=["GET"]),
            Route(f"{at}/write_bulk", self._with_errors(self._bulk), methods=["POST"]),
            *(Route(f"{at}/{n}", self._with_errors(self._read(n)), methods=["GET"]) for n in READS),
            *(
                Route(f"{at}/{n}", self._with_errors(self._write(n)), methods=["POST"])
                for n in VERBS
            ),
        ]

    def _read(self, name: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            method = getattr(self._control, name)
            return json_response(_call(method, dict(request.query_params)))

        return endpoint

    def _write(self, name: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            method = getattr(self._control, name)
            return json_response(_call(method, await _arguments(request)))

        return endpoint

    async def _bulk(self, request: Request) -> Response:
        """Like `Control.write_bulk`, but held requests get their turn between the batches."""
        arguments = await _arguments(request)
        bots = arguments.pop("bots", [])
        ids: list[str] = []
        lots = _call(customers.write_bulk, {"bot_ids": bots, **arguments}, self._control.wechat)
        for lot in lots:
            ids += lot
            await asyncio.sleep(0)
        return json_response(ids)

    async def _state(self, request: Request) -> Response:
        """The state. `?version=N` waits until it differs from that version, for at most 20 s."""
        seen = request.query_params.get("version", "")
        if seen.lstrip("-").isdigit():
            gone = watch_connection(request)
            try:
                await self._control.wechat.wait_for_change(int(seen), STATE_WAIT_S, gone)
                # Answer a burst of changes at once.
                await asyncio.sleep(SETTLE_S)
            finally:
                gone.cancel()
        return json_response(self._control.state())

    async def _media(self, request: Request) -> Response:
        query = request.query_params
        content = self._control.media(query.get("param", ""))
        kind = next((kind for magic, kind in PICTURES.items() if content.startswith(magic)), None)
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}
        if kind is None:
            name = quote(query.get("name", "file"), safe="")
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return Response(content, headers=headers, media_type=kind or "application/octet-stream")

    def _with_errors(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if request.method == "POST" and kind != "application/json":
                return json_response({"error": "Content-Type must be application/json"}, 415)
            try:
                return await endpoint(request)
            except SimulatorError as error:
                return json_response({"error": str(error)}, error.status)

        return guarded


async def _arguments(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        value = json.loads(body) if body else {}
    except ValueError as error:
        raise BadValueError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise BadValueError("the body is not a JSON object")
    return value


def _call(method: Callable[..., Any], arguments: dict[str, Any], *before: Any) -> Any:
    try:
        return method(*before, **arguments)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadValueError(f"wrong arguments: {error}") from error
