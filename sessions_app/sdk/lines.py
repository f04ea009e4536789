"""One line to WeChat per bot token: its client, whether WeChat knows we are up, typing tickets.

Runs on the background loop only. It must never keep using a token that WeChat has refused.
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
class Line:
    """A client of one bot token. `tickets`: typing tickets by person."""

    client: ILinkClient
    announcing: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_announced: bool = False
    tickets: dict[str, str] = field(default_factory=dict)

    async def announce(self) -> None:
        """Without notifystart only the first reply after a connect arrives (reported).

        One that did not arrive is repeated before the next call; a refused one is not.
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
        """Show or hide "typing …"; a ticket that is refused is dropped and asked for once more."""
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


class Lines:
    """All lines of one WeiLink, and the bot tokens that WeChat has refused (`dead`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._hosts = configuration.hosts()
        self._transports: Transports | None = None
        self._lines: dict[str, Line] = {}
        self._cdn: Cdn | None = None
        self.dead: set[str] = set()

    def line(self, token: StoredToken) -> Line:
        """UnsafeHostError when the session's address is none that we follow."""
        known = self._lines.get(token.token)
        if known is None:
            known = Line(self.open(token.base_url, token.token))
            self._lines[token.token] = known
        return known

    def open(self, base_url: str, bot_token: str | None = None) -> ILinkClient:
        """A client that the caller closes."""
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
        """After a call was answered -14: whether WeChat says so again."""
        try:
            await self.line(token).client.notify_start()
        except SessionExpiredError:
            return True
        except ILinkError:
            return False
        return False

    async def say_goodbye(self, token: StoredToken) -> None:
        """notifystop, for a logout; WeChat's answer changes nothing."""
        with contextlib.suppress(ILinkError, TimeoutError):
            async with asyncio.timeout(NOTIFY_LIMIT_S):
                await self.line(token).client.notify_stop()

    async def aclose(self) -> None:
        for line in self._lines.values():
            await line.client.aclose()
        self._lines.clear()
        if self._cdn is not None:
            await self._cdn.aclose()
            self._cdn = None
