"""Whom a request is counted for: its token or login if that is valid, else its address.

Strangers can send any number of made-up tokens and cookies, so one counts by itself only once the
database has it. A look costs one or two queries in a thread; its result is kept for a while.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, InterfaceError, connections
from django.http import HttpRequest, parse_cookie

from messaging.api.edge import PREFIX
from sessions_app.database.browser_keys import SessionStore
from sessions_app.people import tokens
from sessions_app.people.login_throttle import network_of
from weilink_site.bounds import limits
from weilink_site.pages.proxies import client_of

PROGRAMS = (PREFIX, "/metrics", "/mcp")
"""Where an Authorization header goes before the cookie; pages do not read it."""

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows of itself: the secret of a token, or a browser's session key."""

    is_token: bool
    secret: str

    @property
    def name(self) -> str:
        """Kept and counted instead of the secret."""
        digest = hashlib.sha256(self.secret.encode("utf-8", "replace")).hexdigest()[:32]
        return f"{'token' if self.is_token else 'login'}:{digest}"


@dataclass(frozen=True, slots=True)
class Caller:
    """`is_stranger`: nothing valid was shown. `is_unsure`: the database could not be asked."""

    name: str
    is_program: bool = False
    is_stranger: bool = False
    is_unsure: bool = False


class Callers:
    """Remembers which tokens and logins are valid. `look` says it, in a thread."""

    def __init__(
        self, look: Callable[[Credential], bool], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self._looks: dict[str, asyncio.Future[bool]] = {}
        self._threads = ThreadPoolExecutor(limits.LOOKS_AT_ONCE, thread_name_prefix="caller")
        self._away_until = 0.0

    def address(self, headers: Headers, peer: str) -> str:
        """The name of the address. `peer`: that of the connection, which may be a proxy's."""
        return _by_address(_shown("", headers, peer)[1]).name

    def at_once(self, path: str, headers: Headers, peer: str) -> Caller | None:
        """The caller, or None if the database must be asked."""
        shown, address = _shown(path, headers, peer)
        if shown is None:
            return _by_address(address)
        is_valid = self._remembered(shown.name)
        return None if is_valid is None else _counted(shown, address, is_valid=is_valid)

    async def of(self, path: str, headers: Headers, peer: str) -> Caller:
        shown, address = _shown(path, headers, peer)
        if shown is None:
            return _by_address(address)
        is_valid = self._remembered(shown.name)
        if is_valid is None:
            is_valid = await self._asked(shown)
        if is_valid is None:
            return _by_address(address, is_unsure=True)
        return _counted(shown, address, is_valid=is_valid)

    def _remembered(self, name: str) -> bool | None:
        is_valid, until = self._known.get(name, (None, 0.0))
        return is_valid if until > self._clock() else None

    async def _asked(self, shown: Credential) -> bool | None:
        """None if the database does not answer in time."""
        if self._clock() < self._away_until:
            return None
        loop = asyncio.get_running_loop()
        look = self._looks.get(shown.name)
        if look is None or look.get_loop() is not loop:
            if len(self._looks) >= limits.MOST_LOOKS:
                return None
            look = loop.run_in_executor(self._threads, self._look, shown)
            self._looks[shown.name] = look
            look.add_done_callback(lambda done: self._keep(shown.name, done))
        try:
            async with asyncio.timeout(limits.LOOK_S):
                return await asyncio.shield(look)
        except (DatabaseError, InterfaceError, OSError, TimeoutError):
            self._away_until = self._clock() + limits.AWAY_S
            return None

    def _keep(self, name: str, look: "asyncio.Future[bool]") -> None:
        self._looks.pop(name, None)
        if look.cancelled() or look.exception() is not None:
            return
        is_valid = look.result()
        kept_s = limits.KNOWN_S if is_valid else limits.UNKNOWN_S
        self._known[name] = (is_valid, self._clock() + kept_s)
        self._known.move_to_end(name)
        while len(self._known) > limits.MOST_KNOWN:
            self._known.popitem(last=False)


def _by_address(address: str, *, is_unsure: bool = False) -> Caller:
    return Caller(f"address:{address}", is_stranger=True, is_unsure=is_unsure)


def _counted(shown: Credential, address: str, *, is_valid: bool) -> Caller:
    if not is_valid:
        return _by_address(address)
    return Caller(shown.name, is_program=shown.is_token)


def _shown(path: str, headers: Headers, peer: str) -> tuple[Credential | None, str]:
    found: dict[bytes, list[str]] = {b"authorization": [], b"cookie": [], b"x-forwarded-for": []}
    for name, value in headers:
        if (values := found.get(name)) is not None:
            values.append(value.decode("latin-1"))
    address = network_of(client_of(peer, ",".join(found[b"x-forwarded-for"])))
    if found[b"authorization"] and path.startswith(PROGRAMS):
        return _token(found[b"authorization"][-1]), address
    cookies = parse_cookie("; ".join(found[b"cookie"]))
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return (Credential(is_token=False, secret=key) if key else None), address


def _token(header: str) -> Credential | None:
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        return None
    return Credential(is_token=True, secret=secret.strip())


def is_valid(shown: Credential) -> bool:
    """Whether the database has this token or login, and its owner is active."""
    try:
        if shown.is_token:
            token = tokens.look_up(shown.secret)
            return token is not None and tokens.state_of(token) is tokens.TokenState.LIVING
        request = HttpRequest()
        request.session = SessionStore(shown.secret)
        return bool(get_user(request).is_authenticated)
    finally:
        connections.close_all()


callers = Callers(is_valid)
"""Of this process: requests and bodies are counted for the same callers."""
