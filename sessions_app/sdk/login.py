"""Logs one session in: decides whether a scan is needed, and stores its result in the folder.

A token from WeChat is never dropped, and no account is replaced without a message.
"""

import logging
from dataclasses import dataclass, field, replace

from sessions_app.folder.store import (
    BrokenFileError,
    FolderBusyError,
    Listing,
    SessionFolder,
    StoredToken,
)
from sessions_app.sessions import names

from .background import BackgroundLoop
from .configuration import Configuration
from .connections import Connections
from .errors import LoginFailedError
from .terminal_login import TerminalLogin

logger = logging.getLogger(__name__)

MAX_LOCAL_TOKENS = 10


@dataclass(frozen=True, slots=True)
class BotInfo:
    """The result of a login."""

    bot_id: str
    user_id: str
    base_url: str = ""
    token: str = field(default="", repr=False)
    session: str = ""


class Login:
    """One call of `WeiLink.login`."""

    def __init__(
        self,
        folder: SessionFolder,
        connections: Connections,
        configuration: Configuration,
        loop: BackgroundLoop,
    ) -> None:
        self._folder = folder
        self._connections = connections
        self._configuration = configuration
        self._loop = loop

    def run(self, name: str | None, force: bool) -> BotInfo:
        """See `WeiLink.login`."""
        listing = self._folder.scan()
        wanted = listing.default_name if name is None else names.clean_session_name(name)
        found = listing.get(wanted)
        if found is not None and found.token is None:
            raise BrokenFileError(found.reason, wanted)
        known = found.token if found else None
        if known is not None and not force and known.token not in self._connections.dead:
            return _bot_info(wanted, known)
        if found is None:
            with self._folder.changing(make=True) as change:
                wanted = change.free_name(wanted)
        token = self._scan_code(listing, known)
        if token is None:
            return self._connected_already(listing, wanted)
        if known is not None and known.user_id not in ("", token.user_id):
            wanted = self._resolve_other_account(wanted)
        return self._store_login(wanted, token)

    def _scan_code(self, listing: Listing, known: StoredToken | None) -> StoredToken | None:
        others = [one.token for one in listing.usable() if one.token and one.token != known]
        newest_first = sorted(others, key=lambda one: one.created_at_s, reverse=True)
        alive = [one.token for one in newest_first if one.token not in self._connections.dead]

        return TerminalLogin(
            run=self._loop.run,
            open_client=self._connections.open,
            hosts=self._configuration.hosts(),
            start_url=self._configuration.ilink_url,
            local_tokens=alive[:MAX_LOCAL_TOKENS],
        ).run()

    def _connected_already(self, listing: Listing, wanted: str) -> BotInfo:
        """The session of the bot that WeChat says is connected.

        WeChat does not name the bot, so this works only if the folder holds a single one.
        """
        others = [one for one in listing.usable() if one.name != wanted]
        if len(others) == 1 and others[0].token:
            return _bot_info(others[0].name, others[0].token)
        raise LoginFailedError(
            "This WeChat account is connected already, by another session of this folder."
        )

    def _resolve_other_account(self, wanted: str) -> str:
        """Another account than before was scanned: replace the old one or create a session."""
        question = (
            f"This is another WeChat account than the one of “{wanted}” before.\n"
            "Press Enter to replace it, or type a name for a new session: "
        )
        while True:
            try:
                answer = input(question).strip()
                if not answer:
                    return wanted
                with self._folder.changing() as change:
                    return change.free_name(answer)
            except EOFError:
                return self._next_free_name(wanted)
            except ValueError as problem:
                question = f"{problem} "

    def _next_free_name(self, wanted: str) -> str:
        """A free name, when nobody can be asked. Nothing is replaced."""
        taken = {names.name_key(one.name) for one in self._folder.scan().sessions}
        number = 2
        while names.name_key(f"{wanted[:60]} {number}") in taken:
            number += 1
        return f"{wanted[:60]} {number}"

    def _store_login(self, name: str, token: StoredToken) -> BotInfo:
        """Store the token.

        Waits for the folder's lock, because a token from WeChat is never dropped.
        """
        while True:
            try:
                with self._folder.changing(make=True) as change:
                    change.write_token(name, replace(token, cursor=""))
                return _bot_info(name, token)
            except FolderBusyError:
                logger.warning("another program holds the folder lock; still waiting")


def _bot_info(session: str, token: StoredToken) -> BotInfo:
    return BotInfo(token.bot_id, token.user_id, token.base_url, token.token, session)
