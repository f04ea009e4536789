"""Requests through the gate, to an application that answers when the test says so."""

import asyncio
from typing import Any

from weilink_site.bounds.callers import Callers, Credential
from weilink_site.bounds.gate import Gate

VALID = "valid-"
"""Secrets that begin like this are those of tokens and logins that exist."""


def is_valid(shown: Credential) -> bool:
    return shown.secret.startswith(VALID)


class Held:
    """The application behind the gate: `open` lets all requests end."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.running = self.most = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.open.wait()
            await self.answer(send)
        finally:
            self.running -= 1

    async def answer(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Answer:
    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.status: int = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.body = b"".join(one["body"] for one in sent[1:])


class Asker:
    """Asks through a gate of its own, which knows the tokens and logins of `is_valid`."""

    def __init__(self, inner: Any) -> None:
        self.application = Gate(Callers(is_valid)).bounded(inner)

    async def ask(
        self,
        path: str = "/inbox/",
        *,
        token: str = "",
        login: str = "",
        address: str = "192.0.2.1",
        forwarded_for: str = "",
    ) -> Answer:
        place, _, query = path.partition("?")
        shown = {
            b"authorization": f"Bearer {token}" if token else "",
            b"cookie": f"weilink_session={login}" if login else "",
            b"x-forwarded-for": forwarded_for,
        }
        scope = {
            "type": "http",
            "path": place,
            "query_string": query.encode(),
            "headers": [(name, value.encode()) for name, value in shown.items() if value],
            "client": [address, 50_000],
        }
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        await self.application(scope, receive, send)
        return Answer(sent)

    def asked(self, count: int, *given: Any, **shown: Any) -> "list[asyncio.Task[Answer]]":
        return [asyncio.create_task(self.ask(*given, **shown)) for _ in range(count)]


def statuses(tasks: "list[asyncio.Task[Answer]]") -> list[int]:
    return [one.result().status for one in tasks]


async def until(check: Any, *, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not check():
            await asyncio.sleep(0.001)
