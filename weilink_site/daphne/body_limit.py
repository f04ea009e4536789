"""Limits how large a request's body may be, before the application sees the request.

It answers 413 by the announced length, or as soon as more than the limit has come. It looks at no
content. It also gives the errors that Daphne and Twisted answer by themselves our own pages.

Reason: Daphne has no limit for a body (https://github.com/django/daphne/issues/226), and Twisted
keeps all of it before `daphne.http_protocol.WebRequest.process` is called. Django's own limit
comes after that.
Can go when: Daphne takes a limit that may depend on the path and answers 413 before the body is
read, and lets the application write the error pages of `WebRequest.basic_error`.
"""

import logging
from typing import Any

from daphne import http_protocol
from django.conf import settings
from django.db import connections
from twisted.internet import reactor
from twisted.web import http

from messaging.media.limits import limits_by
from sessions_app.team_settings.limits import last_known, team_settings
from weilink_site.daphne.flow_control import hold
from weilink_site.pages.error_pages import answer_outside_django
from weilink_site.pages.headers import headers_of_every_answer

PAGE_BYTES = 2_621_440
"""Django's own limit for what is read into memory; holds wherever no room is named."""
SIMULATOR_BYTES = 160 * 1024 * 1024
FORM_BYTES = 1024 * 1024
"""What stands around a file in a form."""
LINGER_S = 2.0
"""What still comes is thrown away for so long: a line cut at once would cut the answer too."""

logger = logging.getLogger(__name__)

_TOO_LARGE, _BAD = b"413 Content Too Large", b"400 Bad Request"
_ANSWER = (
    b"HTTP/1.1 %s\r\nContent-Type: %s; charset=utf-8\r\n"
    b"Cache-Control: no-store\r\nWeiLink-Refusal: %d\r\n%s"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
)
_READ = (b"accept", b"accept-language", b"cookie")
"""The headers that say in which form and language a refusal is read."""


def most_bytes(path: bytes) -> int:
    """The limit of a path. A call that takes files gets a line of its own here."""
    if settings.DEMO and path.startswith(b"/simulator/"):
        return SIMULATOR_BYTES
    if path.startswith((b"/inbox/uploads/", b"/api/v1/uploads")):
        return _most_file_bytes() + FORM_BYTES
    return PAGE_BYTES


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
    """Daphne's request with an end to its body."""

    content: Any
    refused = False
    limit = PAGE_BYTES
    closing: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Twisted would read every form into memory, for arguments that nobody asks it for.
        self._parsePOSTFormSubmission = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        # The request itself learns its path only after the whole body.
        self.limit = most_bytes(getattr(self.channel, "_path", b""))
        too_long = length is not None and length > self.limit
        super().gotLength(0 if too_long else length)
        if too_long:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if not self.refused and self.content.tell() + len(data) > self.limit:
            self._refuse()
        if not self.refused:
            super().handleContentChunk(data)

    def requestReceived(self, *args: Any) -> None:  # noqa: N802
        if self.refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(*args)

    def process(self) -> Any:
        self.content = hold(self.content)
        return super().process()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self.closing is not None and self.closing.active():
            self.closing.cancel()
        super().connectionLost(reason)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What Daphne says by itself: a damaged request, no answer in time, a crash."""
        kind, page = self._answer(status)
        headers = [
            (b"Content-Type", b"%s; charset=utf-8" % kind.encode()),
            (b"WeiLink-Refusal", b"%d" % status),
            (b"Cache-Control", b"no-store"),
            *((name.encode(), value.encode()) for name, value in headers_of_every_answer().items()),
        ]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": page})

    def _answer(self, status: int) -> tuple[str, bytes]:
        sent = {name.decode(): self.requestHeaders.getRawHeaders(name, [b""]) for name in _READ}
        headers = {name: values[-1].decode("latin-1") for name, values in sent.items()}
        path = getattr(self.channel, "_path", None) or getattr(self, "path", b"") or b""
        return answer_outside_django(status, path.decode("latin-1"), headers)

    def _refuse(self) -> None:
        self.refused = True
        self.content.seek(0)
        self.content.truncate()
        kind, page = self._answer(413)
        self.channel.transport.write(_written(_TOO_LARGE, 413, kind, page))
        later: Any = reactor
        self.closing = later.callLater(LINGER_S, self.channel.loseConnection)


def _written(line: bytes, status: int, kind: str, page: bytes) -> bytes:
    """A whole answer, as it goes out."""
    lines = (f"{name}: {value}\r\n" for name, value in headers_of_every_answer().items())
    return _ANSWER % (line, kind.encode(), status, "".join(lines).encode(), len(page), page)


def _noting_the_line(read: Any) -> Any:
    """Of a first line that cannot be read Twisted keeps nothing; the address stands in it."""

    def line_received(channel: Any, line: bytes) -> None:
        if not hasattr(channel, "_path"):
            channel.damaged_path = line.partition(b" ")[2].partition(b" ")[0]
        read(channel, line)

    return line_received


def _say_it_is_damaged(channel: Any) -> None:
    """A request whose lines Twisted cannot read. By itself it answers with an empty 400."""
    path = getattr(channel, "_path", getattr(channel, "damaged_path", b""))
    kind, page = answer_outside_django(400, path.decode("latin-1"), {})
    channel.transport.write(_written(_BAD, 400, kind, page))
    channel.loseConnection()


def install() -> None:
    """Daphne and Twisted offer no setting for this; they take class and methods by these names."""
    http_protocol.WebRequest = BoundedRequest
    channel: Any = http.HTTPChannel
    if channel._respondToBadRequestAndDisconnect is not _say_it_is_damaged:
        channel._respondToBadRequestAndDisconnect = _say_it_is_damaged
        channel.lineReceived = _noting_the_line(channel.lineReceived)
