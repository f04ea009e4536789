"""Decides whether a request's body is read at all, how large it may be and how long it may take.

A stranger's body may have `limits.STRANGER_BYTES`: what comes beyond, announced or not, is read
only for a valid token or login. Until that is known the connection is not read. What is not read is
answered at once (401, 408, 413, 429, 503), and the connection is closed. It looks at no content.

Reason: Daphne has no limit for a body (https://github.com/django/daphne/issues/226), and Twisted
keeps all of it before `daphne.http_protocol.WebRequest.process` is called. Django's own limit
comes after that.
Can go when: Daphne calls the application before the body is read, and reads it as the application
asks for it.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any

from daphne import http_protocol
from django.conf import settings
from django.db import connections
from twisted.internet import reactor

from messaging.media.limits import limits_by
from sessions_app.monitoring import meters
from sessions_app.team_settings.limits import last_known, team_settings
from weilink_site.bounds import limits
from weilink_site.bounds.bodies import OpenBody
from weilink_site.bounds.callers import Caller, callers
from weilink_site.bounds.places import Full
from weilink_site.daphne import answers
from weilink_site.daphne.flow_control import hold
from weilink_site.pages.headers import headers_of_every_answer

PAGE_BYTES = 2_621_440
"""Django's own limit for what is read into memory; holds wherever no room is named."""
SIMULATOR_BYTES = 160 * 1024 * 1024
FORM_BYTES = 1024 * 1024
"""What stands around a file in a form."""
LINGER_S = 2.0
"""What still comes is thrown away for so long: a line cut at once would cut the answer too."""
FOR_STRANGERS = (
    b"/accounts/", b"/i18n/", b"/invite/", b"/join/", b"/password/", b"/scan/",
)  # fmt: skip
"""Pages with forms that need no login: too much for them is too large, whoever sends it."""

logger = logging.getLogger(__name__)

Line = tuple[bytes, bytes]


def most_bytes(path: bytes) -> int:
    """The limit of a path. A call that takes files gets a line of its own here."""
    if _is_simulator(path):
        return SIMULATOR_BYTES
    if path.startswith((b"/inbox/uploads/", b"/api/v1/uploads")):
        return _most_file_bytes() + FORM_BYTES
    return PAGE_BYTES


def _is_simulator(path: bytes) -> bool:
    """The simulated WeChat of the demo knows no logins."""
    return bool(settings.DEMO) and path.startswith(b"/simulator/")


def _most_file_bytes() -> int:
    """As last known; what is older is read anew in a thread, for the next request.

    The view measures the file itself by what holds then.
    """
    team, is_fresh = last_known()
    if not is_fresh:
        later: Any = reactor
        later.callInThread(_read_settings)
    return limits_by(team).any_outgoing


def _read_settings() -> None:
    try:
        team_settings()
    except Exception:
        logger.warning("the team's settings could not be read", exc_info=True)
    finally:
        connections.close_all()


class BoundedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """Daphne's request with an end to its body. `body`: None for a request without one."""

    content: Any
    refused = False
    is_whole = False
    limit = PAGE_BYTES
    body: OpenBody | None = None
    looking: "asyncio.Task[None] | None" = None
    closing: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Twisted would read every form into memory, for arguments that nobody asks it for.
        self._parsePOSTFormSubmission = False

    # What Twisted calls while a request comes

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        # The request itself learns its path only after the whole body.
        self.limit = most_bytes(answers.path_of(self.channel))
        too_long = length is not None and length > self.limit
        super().gotLength(0 if too_long else length)
        if too_long:
            self._refuse(413, "too_large")
        elif length != 0:
            self._begin(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self.refused:
            return
        size = self.content.tell() + len(data)
        if size > self.limit:
            self._refuse(413, "too_large")
        elif size > limits.STRANGER_BYTES and self.body is not None and self.body.is_small:
            self._ask_whose_it_is(self.limit)
        if not self.refused:
            super().handleContentChunk(data)

    def requestReceived(self, *args: Any) -> None:  # noqa: N802
        if self.refused:
            self.channel.loseConnection()
            return
        self.is_whole = True
        if self.body is not None:
            self.body.has_come()
        super().requestReceived(*args)

    def process(self) -> Any:
        self.content = hold(self.content)
        if self.requestHeaders.hasHeader(b"Upgrade"):
            self._let_go()  # a websocket never tells the end of this request
        return super().process()

    def finish(self) -> None:
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self.closing is not None and self.closing.active():
            self.closing.cancel()
        self._let_go()
        super().connectionLost(reason)

    def check_timeouts(self) -> None:
        """Daphne calls it every two seconds."""
        coming = None if self.is_whole or self.refused else self.body
        if coming is not None and coming.is_too_slow(self.content.tell(), time.monotonic()):
            self._refuse(408, "slow_body")
        else:
            super().check_timeouts()

    # Whose body it is

    def _begin(self, length: int | None) -> None:
        """`length`: None if it is not announced."""
        try:
            self.body = OpenBody(callers.address(self._sent(), self._peer()), time.monotonic())
        except Full as full:
            self._refuse_full(full)
            return
        if length is not None and length > limits.STRANGER_BYTES:
            self._ask_whose_it_is(length)

    def _ask_whose_it_is(self, size: int) -> None:
        """`size`: the length of the whole body, or the most that it may have."""
        if self.looking is not None:
            return
        path = answers.path_of(self.channel)
        asked = path.decode("latin-1"), list(self._sent()), self._peer()
        if _is_simulator(path):
            self._decide(Caller(callers.address(self._sent(), self._peer())), size)
        elif (known := callers.at_once(*asked)) is not None:
            self._decide(known, size)
        else:
            expects = self.requestHeaders.getRawHeaders(b"Expect")
            self.requestHeaders.removeHeader(b"Expect")  # else Twisted would ask for the body
            self.channel._networkProducer.pauseProducing()
            self.looking = asyncio.ensure_future(self._look(asked, size, bool(expects)))

    async def _look(self, asked: tuple[str, list[Line], str], size: int, expects: bool) -> None:
        caller = await callers.of(*asked)
        if self.channel is None:
            return
        if not (self.is_whole or self.refused):
            self._decide(caller, size)
            if expects and not self.refused:
                self.channel._send100Continue()
        self.channel._networkProducer.resumeProducing()

    def _decide(self, caller: Caller, size: int) -> None:
        if caller.is_unsure:
            self._refuse(503, "unsure", {"Retry-After": str(limits.RETRY_ALL_S)})
        elif caller.is_stranger:
            is_open = answers.path_of(self.channel).startswith(FOR_STRANGERS)
            self._refuse(*((413, "too_large") if is_open else (401, "stranger")))
        elif self.body is not None:
            try:
                self.body.grow(caller.name, size, largest=self.limit)
            except Full as full:
                self._refuse_full(full)

    def _sent(self) -> Iterator[Line]:
        for name, values in self.requestHeaders.getAllRawHeaders():
            yield from ((name.lower(), value) for value in values)

    def _peer(self) -> str:
        return str(getattr(self.client, "host", ""))

    # Refusals

    def _refuse_full(self, full: Full) -> None:
        if full.is_caller:
            self._refuse(429, "caller_bodies", {"Retry-After": str(limits.RETRY_CALLER_S)})
        else:
            self._refuse(503, "all_bodies", {"Retry-After": str(limits.RETRY_ALL_S)})

    def _refuse(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        """Answer at once, drop what has come, and close the connection."""
        self.refused = True
        meters.REQUESTS_BOUNDED.labels(reason).inc()
        self._let_go()
        self.requestHeaders.removeHeader(b"Expect")
        self.content.seek(0)
        self.content.truncate()
        extra = {"WWW-Authenticate": "Bearer"} if status == 401 else headers
        answers.write(self.channel, status, sent=self.requestHeaders, extra=extra)
        later: Any = reactor
        self.closing = later.callLater(LINGER_S, self.channel.loseConnection)

    def _let_go(self) -> None:
        if self.body is not None:
            self.body.close()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What Daphne says by itself: a damaged request, no answer in time, a crash."""
        path = getattr(self.channel, "_path", None) or getattr(self, "path", b"") or b""
        kind, page = answers.refusal(status, path, self.requestHeaders)
        headers = [
            (b"Content-Type", b"%s; charset=utf-8" % kind.encode()),
            (b"WeiLink-Refusal", b"%d" % status),
            (b"Cache-Control", b"no-store"),
            *((name.encode(), value.encode()) for name, value in headers_of_every_answer().items()),
        ]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": page})


def install() -> None:
    """Daphne offers no setting for this; it takes the class by this name."""
    http_protocol.WebRequest = BoundedRequest
