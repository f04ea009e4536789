"""Keeps one worker's WeChat clients: one per session and binding, each with its own transport.

With one transport per session, the cost of a poll stays the same at thousands of sessions. Polls
and sends of a session share it. The pool itself opens no connection.
"""

from sessions_app.ilink.client import ClientIdentity, ILinkClient, Transports
from sessions_app.ilink.hosts import HostPolicy


class ClientPool:
    """Clients by (session id, generation). The user of an old binding's client closes it."""

    def __init__(self, *, identity: ClientIdentity, hosts: HostPolicy) -> None:
        self.identity = identity
        self.hosts = hosts
        self._transports = Transports()
        self._open: dict[tuple[int, int], ILinkClient] = {}

    def of(self, session_id: int, generation: int, *, base_url: str, token: str) -> ILinkClient:
        """The client of this binding. Raises UnsafeHostError if the address is not allowed."""
        key = (session_id, generation)
        client = self._open.get(key)
        if client is None:
            client = self._client(self.hosts.check(base_url), token)
            self._open[key] = client
        return client

    def bindings(self) -> list[tuple[int, int]]:
        """(session id, generation) of every open client."""
        return list(self._open)

    def nameless(self, base_url: str) -> ILinkClient:
        """A client without a token, for a login. The caller closes it."""
        return self._client(base_url, None)

    def _client(self, base_url: str, token: str | None) -> ILinkClient:
        return ILinkClient(
            base_url=base_url,
            token=token,
            identity=self.identity,
            hosts=self.hosts,
            transport=self._transports.open(),
        )

    async def close(self, session_id: int, generation: int) -> None:
        client = self._open.pop((session_id, generation), None)
        if client is not None:
            await client.aclose()

    async def close_all(self) -> None:
        for key in list(self._open):
            await self.close(*key)
