"""The connections to WeChat: one client per bot token, with its notifystart and typing tickets.

Used only on the background loop. Must never keep using a token that WeChat has refused.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from sessions_app.folder.store import StoredToken
from sessions_app.ilink.cdn import Cdn
from sessions_app.ilink.client import ILinkClient, Transports
from sessions_app.ilink.errors import ILinkError, RefusedError, SessionExpiredError

from .configuration import Configuration

logger = logging.getLogger(__name__)

NOTIFY_LIMIT_S = 3.0


@dataclass
class Connection:
    """The client of one bot token. `tickets`: typing tickets by person."""

    client: ILinkClient
    announcing: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_announced: bool = False
    tickets: dict[str, str] = field(default_factory=dict)

    async def announce(self) -> None:
        """Send notifystart. Without it only the first reply after connecting arrives (as reported).

        If it cannot be delivered it is repeated before the next call; if it is refused it is not.
        """
        async with self.announcing:
            if self.is_announced:
                return
            try:
                await self.client.notify_start()
            except ILinkError as error:
                logger.info("notifystart: %s", error)
                self.is_announced = isinstance(error, RefusedError)
            else:
                self.is_announced = True

    async def type(self, user_id: str, context_token: str, on: bool) -> None:
        """Show or hide "typing …". If the ticket is refused, request a new one once."""
        for is_last in (False, True):
            if user_id not in self.tickets:
                self.tickets[user_id] = await self.client.get_config(user_id, context_token)
            try:
                await self.client.send_typing(user_id, self.tickets[user_id], on)
            except RefusedError:
                del self.tickets[user_id]
                if is_last:
                    raise
            else:
                return


class Connections:
    """The connections of one WeiLink, and the bot tokens that WeChat has refused (`dead`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._hosts = configuration.hosts()
        self._transports: Transports | None = None
        self._connections: dict[str, Connection] = {}
        self._cdn: Cdn | None = None
        self.dead: set[str] = set()

    def connection(self, token: StoredToken) -> Connection:
        """The connection for a token.

        Raises UnsafeHostError if the session's URL is not allowed.
        """
        known = self._connections.get(token.token)
        if known is None:
            known = Connection(self.open(token.base_url, token.token))
            self._connections[token.token] = known
        return known

    def open(self, base_url: str, bot_token: str | None = None) -> ILinkClient:
        """A new client. The caller closes it."""
        if self._transports is None:
            self._transports = Transports()
        return ILinkClient(
            base_url=base_url,
            token=bot_token,
            identity=self._configuration.identity,
            hosts=self._hosts,
            transport=self._transports.open(),
        )

    def cdn(self) -> Cdn:
        if self._cdn is None:
            self._cdn = Cdn(base_url=self._configuration.cdn_url, hosts=self._hosts)
        return self._cdn

    async def is_over(self, token: StoredToken) -> bool:
        """Whether WeChat answers -14 again, after a call was answered so."""
        try:
            await self.connection(token).client.notify_start()
        except SessionExpiredError:
            return True
        except ILinkError:
            return False
        return False

    async def say_goodbye(self, token: StoredToken) -> None:
        """Send notifystop at a logout. WeChat's answer is ignored."""
        with contextlib.suppress(ILinkError, TimeoutError):
            async with asyncio.timeout(NOTIFY_LIMIT_S):
                await self.connection(token).client.notify_stop()

    async def aclose(self) -> None:
        for connection in self._connections.values():
            await connection.client.aclose()
        self._connections.clear()
        if self._cdn is not None:
            await self._cdn.aclose()
            self._cdn = None
