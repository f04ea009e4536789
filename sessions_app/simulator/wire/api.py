"""The bot protocol over HTTP: paths, headers and JSON, not its meaning.

Each request is first checked against the rules of the paper. Violations are recorded, and refused
only if the switch `strict` is on. Like WeChat, it answers HTTP 200 even to nonsense.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sessions_app.simulator.addresses import Addresses, addresses_for, own_path
from sessions_app.simulator.media.cdn import CdnRefusal
from sessions_app.simulator.state.accounts import Bot
from sessions_app.simulator.state.wechat import Gone, SimulatedWeChat
from sessions_app.simulator.wire import replies
from sessions_app.simulator.wire.request_rules import (
    app_header_faults,
    base_info_faults,
    bearer_token,
    post_header_faults,
)

BOT_TYPE = "3"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a bot, parsed and checked."""

    body: dict[str, Any]
    token: str
    addresses: Addresses
    app_headers_ok: bool


Handler = Callable[[Call, Request], Awaitable[dict[str, Any] | None]]
BotHandler = Callable[[Bot, Call], dict[str, Any]]


def json_response(value: Any, status: int = 200) -> Response:
    """ASCII JSON, which preserves lone surrogates."""
    return Response(json.dumps(value), status, media_type="application/json")


class WireApi:
    def __init__(self, wechat: SimulatedWeChat, public_url: str | None) -> None:
        self._wechat = wechat
        self._public_url = public_url

    def routes(self) -> list[Route]:
        bot = "/ilink/bot/"
        wechat = self._wechat
        return [
            Route(bot + "get_bot_qrcode", self._endpoint(self._draw), methods=["GET", "POST"]),
            Route(bot + "get_qrcode_status", self._endpoint(self._status), methods=["GET"]),
            Route(bot + "getupdates", self._endpoint(self._updates), methods=["POST"]),
            self._bot_route("sendmessage", self._send),
            self._bot_route("getconfig", lambda b, c: replies.get_config(wechat, b, c.body)),
            self._bot_route("sendtyping", lambda b, c: replies.send_typing(wechat, b, c.body)),
            self._bot_route(
                "getuploadurl",
                lambda b, c: replies.get_upload_url(wechat, b, c.body, c.addresses),
            ),
            self._bot_route("msg/notifystart", lambda b, c: replies.notify(wechat, b, start=True)),
            self._bot_route("msg/notifystop", lambda b, c: replies.notify(wechat, b, start=False)),
            Route("/c2c/upload", self._upload, methods=["POST"]),
            Route("/c2c/download", self._download, methods=["GET"]),
        ]

    def _bot_route(self, name: str, handle: BotHandler) -> Route:
        """An endpoint that needs a valid token and answers at once."""

        async def with_bot(call: Call, request: Request) -> dict[str, Any]:
            with self._wechat.lock:
                bot = self._wechat.bots.by_token(call.token)
                if bot is None:
                    return self._wechat.expired_answer()
            return handle(bot, call)

        return Route(f"/ilink/bot/{name}", self._endpoint(with_bot), methods=["POST"])

    def _endpoint(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            call, faults = await self._read(request)
            path = own_path(request.scope)
            with self._wechat.lock:
                self._wechat.requests[path] += 1
                for fault in faults:
                    self._wechat.violations.record(path, fault)
                if faults:
                    self._wechat.changed()
            if call is None or (faults and self._wechat.switches.strict):
                return json_response({"ret": -1, "errmsg": "; ".join(faults)})
            answer = await handler(call, request)
            # The client disconnected while the request was held.
            return json_response(answer) if answer is not None else Response(status_code=499)

        return endpoint

    async def _read(self, request: Request) -> tuple[Call | None, list[str]]:
        """The call and the rules it breaks. None: the body is not a JSON object."""
        headers = request.headers
        app_faults = app_header_faults(headers)
        faults, token = list(app_faults), bearer_token(headers)
        body: Any = {}
        if request.method == "POST":
            faults += post_header_faults(headers) + self._repeated_uin(token, headers)
            try:
                body = json.loads(await request.body())
            except ValueError:
                body = None
            if not isinstance(body, dict):
                return None, [*faults, "the body is not a JSON object"]
            faults += base_info_faults(body)
        addresses = addresses_for(request.scope, self._public_url)
        return Call(body, token, addresses, not app_faults), faults

    def _repeated_uin(self, token: str, headers: Any) -> list[str]:
        uin = headers.get("x-wechat-uin", "")
        with self._wechat.lock:
            repeated = bool(uin) and self._wechat.last_uin.get(token) == uin
            self._wechat.last_uin[token] = uin
        return ["X-WECHAT-UIN is not fresh: the one of the last request"] if repeated else []

    async def _draw(self, call: Call, request: Request) -> dict[str, Any]:
        if request.query_params.get("bot_type") != BOT_TYPE:
            self._record(request, "bot_type is not 3")
        held = call.body.get("local_token_list") or []
        if not isinstance(held, list) or not all(isinstance(token, str) for token in held):
            return {"ret": -1, "errmsg": "local_token_list is not a list of strings"}
        if len(held) > 10:
            self._record(request, "local_token_list has more than 10 tokens")
        login = self._wechat.draw_qr_code(held)
        picture = call.addresses.scan_page(login.handle)
        return {"ret": 0, "qrcode": login.handle, "qrcode_img_content": picture}

    async def _status(self, call: Call, request: Request) -> dict[str, Any] | None:
        query = request.query_params
        handle, code = query.get("qrcode", ""), query.get("verify_code", "")
        gone = watch_connection(request)
        try:
            return await self._wechat.qrcode_status(handle, code, call.addresses, gone)
        finally:
            gone.cancel()

    async def _updates(self, call: Call, request: Request) -> dict[str, Any] | None:
        cursor = call.body.get("get_updates_buf", "")
        if not isinstance(cursor, str):
            return {"ret": -1, "errmsg": "get_updates_buf is not a string"}
        gone = watch_connection(request)
        try:
            return await self._wechat.get_updates(call.token, cursor, call.addresses, gone)
        finally:
            gone.cancel()

    def _send(self, bot: Bot, call: Call) -> dict[str, Any]:
        ok = call.app_headers_ok
        return replies.send_message(self._wechat, bot, call.body, app_headers_ok=ok)

    async def _upload(self, request: Request) -> Response:
        if request.headers.get("content-type") != "application/octet-stream":
            return _cdn_error(400, "Content-Type is not application/octet-stream")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._wechat.switches.max_upload_bytes:
                return _cdn_error(413, "the file is too large")
        query = request.query_params
        param, filekey = query.get("encrypted_query_param", ""), query.get("filekey", "")
        with self._wechat.lock:
            self._wechat.requests[own_path(request.scope)] += 1
            done = self._wechat.cdn.upload(param, filekey, bytes(body))
        if isinstance(done, CdnRefusal):
            return _cdn_error(done.status, done.message)
        return Response(headers={"x-encrypted-param": done.param})

    async def _download(self, request: Request) -> Response:
        with self._wechat.lock:
            self._wechat.requests[own_path(request.scope)] += 1
            encrypted = self._wechat.cdn.get(request.query_params.get("encrypted_query_param", ""))
        if encrypted is None:
            return _cdn_error(404, "no such file")
        return Response(encrypted, media_type="application/octet-stream")

    def _record(self, request: Request, what: str) -> None:
        with self._wechat.lock:
            self._wechat.violations.record(own_path(request.scope), what)


def watch_connection(request: Request) -> Gone:
    """A future that completes when the client disconnects. Call this after reading the body."""

    async def until_gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return asyncio.ensure_future(until_gone())


def _cdn_error(status: int, message: str) -> Response:
    return Response(status_code=status, headers={"x-error-message": message})
