"""Lets so many requests run at once, and refuses what is too much with 429 or 503.

429: this caller has too many under way. 503: all callers together have. Both say in `Retry-After`
when to come again. A request that is let in waits for its turn, callers one after the other. It
has its turn until its answer begins to leave in pieces; long polls have none while they wait.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from messaging.api.edge import PREFIX
from sessions_app.monitoring import meters
from sessions_app.pages import turn
from weilink_site.bounds import limits
from weilink_site.bounds.callers import Caller, Callers, callers
from weilink_site.bounds.limits import Lane
from weilink_site.bounds.places import Full, Places, Turns
from weilink_site.pages.error_pages import answer_outside_django
from weilink_site.pages.headers import headers_of_every_answer

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]

PROBES = ("/healthz", "/readyz", "/metrics")
PAGES, LONG_POLLS, STATIC, PROBE = "pages", "long_polls", "static", "probes"


class Visit:
    """One request that was let in: its place, and its turn (see `sessions_app.pages.turn`)."""

    def __init__(self, kind: str, caller: Caller, places: Places, turns: Turns) -> None:
        """Raises Full."""
        each, in_all = bounds_of(kind, caller)
        places.take(caller.name, each=each, in_all=in_all)
        meters.REQUESTS_UNDER_WAY.labels(kind).inc()
        self._kind, self._caller = kind, caller.name
        self._places, self._turns = places, turns
        self._has_place, self._has_turn = True, False
        self._work: Future[Any] | None = None

    async def take(self) -> None:
        await self._turns.take(self._caller)
        self._has_turn = True

    def give_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.give_back(self._caller)

    def keep_until(self, work: "Future[Any]") -> None:
        self._work = work

    def leave(self) -> None:
        """Give the place back. With the last byte of the answer: then the client may ask again."""
        if self._has_place:
            self._has_place = False
            self._places.give_back(self._caller)
            meters.REQUESTS_UNDER_WAY.labels(self._kind).dec()

    def end(self) -> None:
        self.give_back()
        self.leave()

    def end_with_its_thread(self) -> None:
        """The thread of a cancelled request may still be at work, perhaps in a locked database."""
        if self._work is None:
            self.end()
            return
        loop = asyncio.get_running_loop()

        def ended(_: "Future[Any]") -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and all with it
                loop.call_soon_threadsafe(self.end)

        self._work.add_done_callback(ended)


class Gate:
    """The requests of this process: how many of which kind are under way, and which of them run."""

    def __init__(self, known: Callers) -> None:
        self._known = known
        self._places = {kind: Places() for kind in (PAGES, LONG_POLLS, STATIC, PROBE)}
        pages = _turns(limits.PAGES)
        self._turns = {
            PAGES: pages,
            LONG_POLLS: pages,
            STATIC: _turns(limits.STATIC),
            PROBE: _turns(limits.PROBES),
        }

    def bounded(self, inner: Application) -> Application:
        async def application(scope: Scope, receive: Any, send: Any) -> None:
            kind = kind_of(scope)
            caller = await self._caller(scope, kind)
            try:
                visit = Visit(kind, caller, self._places[kind], self._turns[kind])
            except Full as full:
                await _refuse(scope, send, is_caller=full.is_caller)
                return
            try:
                await _run(inner, scope, receive, send, visit)
            except BaseException:
                visit.end_with_its_thread()
                raise
            visit.end()

        return application

    async def _caller(self, scope: Scope, kind: str) -> Caller:
        """Static files and health pages count for the address: they cost no look."""
        peer = str((scope.get("client") or [""])[0])
        if kind in (STATIC, PROBE):
            return Caller(self._known.address(scope["headers"], peer), is_stranger=True)
        return await self._known.of(scope["path"], scope["headers"], peer)


async def _run(inner: Application, scope: Scope, receive: Any, send: Any, visit: Visit) -> None:
    try:
        async with asyncio.timeout(limits.TURN_S):
            await visit.take()
    except TimeoutError:
        await _refuse(scope, send, is_caller=False)
        return

    async def leaving(message: dict[str, Any]) -> None:
        if message.get("more_body"):
            visit.give_back()  # what is left waits for the client
        elif message["type"] == "http.response.body":
            visit.leave()
        await send(message)

    with turn.having(visit):
        await inner(scope, receive, leaving)


def _turns(lane: Lane) -> Turns:
    return Turns(each=lane.running_each, in_all=lane.running)


def kind_of(scope: Scope) -> str:
    path = scope["path"]
    if path.startswith(settings.STATIC_URL):
        return STATIC
    if path in PROBES:
        return PROBE
    return LONG_POLLS if path.startswith(PREFIX) and _waits(scope["query_string"]) else PAGES


def _waits(query: bytes) -> bool:
    if b"wait" not in query:
        return False
    try:
        return any(float(one) > 0 for one in parse_qs(query.decode("latin-1")).get("wait", []))
    except ValueError:
        return False


def bounds_of(kind: str, caller: Caller) -> tuple[int, int]:
    """How many may be under way, of this caller and in all."""
    if kind == LONG_POLLS:
        return limits.LONG_POLLS_EACH, limits.LONG_POLLS
    if kind == PAGES and caller.is_program:
        return limits.PROGRAM_UNDER_WAY, limits.PAGES.under_way
    lane = {PAGES: limits.PAGES, STATIC: limits.STATIC}.get(kind, limits.PROBES)
    return lane.under_way_each, lane.under_way


async def _refuse(scope: Scope, send: Any, *, is_caller: bool) -> None:
    status = 429 if is_caller else 503
    retry_s = limits.RETRY_CALLER_S if is_caller else limits.RETRY_ALL_S
    meters.REQUESTS_BOUNDED.labels("caller_busy" if is_caller else "all_busy").inc()
    sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    kind, page = answer_outside_django(status, scope["path"], sent)
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Content-Length": str(len(page)),
        "Cache-Control": "no-store",
        "Retry-After": str(retry_s),
        "WeiLink-Refusal": str(status),
        **headers_of_every_answer(),
    }
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": page})


gate = Gate(callers)
