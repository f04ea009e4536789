"""A client that talks to a raw server of the test."""

from collections.abc import Callable

import httpx
import pytest

from sessions_app.ilink.client import ClientIdentity, ILinkClient
from sessions_app.ilink.hosts import HostPolicy

IDENTITY = ClientIdentity(app_version="1.2.3", bot_agent="WeiLinkConsole/1.2.3")
TOKEN = "bot-token-secret"


@pytest.fixture
def client_of() -> Callable[..., ILinkClient]:
    def make(
        url: str,
        token: str | None = TOKEN,
        max_body_bytes: int = 1_000_000,
        read_timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> ILinkClient:
        return ILinkClient(
            base_url=url,
            token=token,
            identity=IDENTITY,
            hosts=HostPolicy(url),
            random=lambda: 4_294_967_295,
            max_body_bytes=max_body_bytes,
            read_timeout_s=read_timeout_s,
            transport=transport,
        )

    return make
