"""How much a request may carry before anything of ours sees it: Daphne keeps whole bodies.

Answers 413 by the announced length, or as soon as more than that has come. Looks at no content.
"""

import logging
from typing import Any

from daphne import http_protocol
from django.conf import settings
from django.db import connections
from twisted.internet import reactor

from messaging.media.limits import limits_by
from sessions_app.team_settings import last_known, team_settings
from weilink_site.flow import hold

PAGE_BYTES = 2_621_440
"""Django's own limit for what is read into memory; holds wherever no room is named."""
SIMULATOR_BYTES = 160 * 1024 * 1024
FORM_BYTES = 1024 * 1024
"""What stands around a file in a form."""
LINGER_S = 2.0
"""What still comes is thrown away for so long: a line cut at once would cut the answer too."""

logger = logging.getLogger(__name__)

_WORDS = b"The request is too large."
_ANSWER = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_WORDS), _WORDS)
)


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

    def _refuse(self) -> None:
        self.refused = True
        self.content.seek(0)
        self.content.truncate()
        self.channel.transport.write(_ANSWER)
        later: Any = reactor
        self.closing = later.callLater(LINGER_S, self.channel.loseConnection)


def install() -> None:
    """Daphne offers no setting for this; its factory takes the class by this name."""
    http_protocol.WebRequest = BoundedRequest
