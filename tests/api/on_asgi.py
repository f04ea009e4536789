"""The API as programs reach it: through the ASGI application, in the test's own event loop."""

import asyncio
import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

from tests.api.callers import Answer
from weilink_site.asgi import application


class Call:
    """One request that may take its time, be watched, and be given up."""

    def __init__(
        self, secret: str, method: str, path: str, body: Any = None, *, cookie: str = ""
    ) -> None:
        """By an API token, or by the cookie of a browser that is signed in."""
        caller = (b"cookie", cookie) if cookie else (b"authorization", f"Bearer {secret}")
        place, _, query = path.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"/api/v1{place}",
            "raw_path": f"/api/v1{place}".encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"localhost:8000"),
                (caller[0], caller[1].encode()),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("localhost", 8_000),
        }
        self.line: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        self.content = content

    async def start(self) -> "Call":
        await self.line.send_input({"type": "http.request", "body": self.content})
        return self

    async def answer(self, within_s: float = 10.0) -> Answer:
        head = await self.line.receive_output(timeout=within_s)
        text = b""
        while True:
            part = await self.line.receive_output(timeout=5)
            text += part.get("body", b"")
            if not part.get("more_body"):
                break
        await self.line.wait(timeout=5)
        headers = {name.decode(): value.decode() for name, value in head["headers"]}
        return Answer(head["status"], json.loads(text), headers)

    async def give_up(self) -> None:
        """The client hangs up."""
        await self.line.send_input({"type": "http.disconnect"})
        await self.line.wait(timeout=2)

    @property
    def is_answered(self) -> bool:
        return not self.line.output_queue.empty()


async def ask(secret: str, method: str, path: str, body: Any = None) -> Answer:
    return await (await Call(secret, method, path, body).start()).answer()


async def asked(secret: str, method: str, path: str, body: Any = None) -> Call:
    """A call on its way: let it reach its wait, then go on."""
    call = await Call(secret, method, path, body).start()
    await asyncio.sleep(0)
    return call
