"""A simulator on loopback and a small client of its wire, independent of the console's client."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.serve import SimulatorServer

Json = dict[str, Any]
PERSON = "guest@im.wechat"


class Wire:
    """Requests as the protocol paper has them; `headers` and bodies may be spoilt by tests."""

    def __init__(self, client: httpx.AsyncClient, base: str = "/ilink/bot/") -> None:
        self.client = client
        self.base = base
        self.app_headers = {"iLink-App-Id": "bot", "iLink-App-ClientVersion": "65536"}
        self.base_info: Json = {"channel_version": "1.0.0", "bot_agent": "Test/1.0.0"}

    def post_headers(self, token: str = "") -> dict[str, str]:
        uin = base64.b64encode(str(secrets.randbelow(2**32)).encode()).decode()
        headers = {"AuthorizationType": "ilink_bot_token", "X-WECHAT-UIN": uin, **self.app_headers}
        return headers | ({"Authorization": f"Bearer {token}"} if token else {})

    async def post(self, path: str, token: str = "", **body: Any) -> Json:
        response = await self.client.post(
            self.base + path,
            json={"base_info": self.base_info, **body},
            headers=self.post_headers(token),
        )
        answer: Json = response.raise_for_status().json()
        return answer

    async def draw(self, *held: str) -> Json:
        return await self.post("get_bot_qrcode?bot_type=3", local_token_list=list(held))

    async def status(self, handle: str, **query: str) -> Json:
        response = await self.client.get(
            f"{self.base}get_qrcode_status",
            params={"qrcode": handle, **query},
            headers=self.app_headers,
        )
        answer: Json = response.raise_for_status().json()
        return answer

    async def updates(self, token: str, cursor: str = "") -> Json:
        return await self.post("getupdates", token, get_updates_buf=cursor)

    async def send(self, token: str, text: str, context: str, **changes: Any) -> Json:
        item = changes.pop("item", {"type": 1, "text_item": {"text": text}})
        message = {
            "from_user_id": "",
            "to_user_id": PERSON,
            "client_id": secrets.token_hex(8),
            "message_type": 2,
            "message_state": 2,
            "context_token": context,
            "item_list": [item],
            **changes,
        }
        return await self.post("sendmessage", token, msg=message)


class BoundBot:
    """A bot bound to Lin, its wire, and one person who can write to it."""

    def __init__(self, wire: Wire, control: Control, account: str = "Lin") -> None:
        facts = control.bind(account, notified=True)
        self.wire, self.control = wire, control
        self.bot_id, self.token = facts["bot_id"], facts["token"]

    def hears(self, text: str = "hello", **details: Any) -> str:
        """The person writes; the new context token."""
        message = self.control.write(self.bot_id, PERSON, text, **details)
        return str(message["context_token"])

    async def says(self, text: str, context: str, **changes: Any) -> Json:
        return await self.wire.send(self.token, text, context, **changes)

    async def polls(self, cursor: str = "") -> Json:
        return await self.wire.updates(self.token, cursor)

    @property
    def seen(self) -> list[str]:
        return self.control.seen(self.bot_id, PERSON)


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(hold_s=0.3) as running:
        yield running


@pytest.fixture
def control(server: SimulatorServer) -> Control:
    return server.control


@pytest.fixture
async def wire(server: SimulatorServer) -> AsyncIterator[Wire]:
    async with httpx.AsyncClient(base_url=server.url, timeout=10, trust_env=False) as client:
        yield Wire(client)


@pytest.fixture
def bot(wire: Wire, control: Control) -> BoundBot:
    return BoundBot(wire, control)


async def until(check: Callable[[], Any], within_s: float = 5.0) -> Any:
    """Wait for a fact of the simulator."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        await asyncio.sleep(0.01)
    return found


def texts(answer: Json) -> list[str]:
    return [message["item_list"][0]["text_item"]["text"] for message in answer["msgs"]]
