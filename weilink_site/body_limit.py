"""How much a request may carry before anything of ours sees it: Daphne keeps whole bodies.

Answers 413 by the announced length, or as soon as more than that has come. Looks at no content.
"""

from typing import Any

from daphne import http_protocol
from django.conf import settings
from twisted.internet import reactor

from messaging.media.limits import limits
from weilink_site.flow import hold

PAGE_BYTES = 2_621_440
"""Django's own limit for what is read into memory; holds wherever no room is named."""
SIMULATOR_BYTES = 160 * 1024 * 1024
FORM_BYTES = 1024 * 1024
"""What stands around a file in a form."""
LINGER_S = 2.0
"""What still comes is thrown away for so long: a line cut at once would cut the answer too."""

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
        return limits().any_outgoing + FORM_BYTES
    return PAGE_BYTES


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
