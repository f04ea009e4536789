"""Answers that are written to a connection without Django: refusals before there is a request.

Reason: Daphne and Twisted answer a damaged request with an empty page, and have no answer for a
body that must not be read.
Can go when: Daphne lets the application write the pages of `WebRequest.basic_error` and of
`HTTPChannel._respondToBadRequestAndDisconnect`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from twisted.web import http

from weilink_site.pages.error_pages import answer_outside_django
from weilink_site.pages.headers import headers_of_every_answer

_ANSWER = (
    b"HTTP/1.1 %d %s\r\nContent-Type: %s; charset=utf-8\r\n"
    b"Cache-Control: no-store\r\nWeiLink-Refusal: %d\r\n%s"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
)
_READ = (b"accept", b"accept-language", b"cookie")
"""The headers that say in which form and language a refusal is read."""
_REASONS = {413: "Content Too Large"}


def path_of(channel: Any) -> bytes:
    """The address that the connection's request asks for, with its query; b"" before it is read."""
    path: bytes = getattr(channel, "_path", getattr(channel, "damaged_path", b""))
    return path


def refusal(status: int, path: bytes, sent: Any = None) -> tuple[str, bytes]:
    """Content type and body. `sent`: the request's headers, as Twisted keeps them."""
    headers: dict[str, str] = {}
    if sent is not None:
        last = {name.decode(): sent.getRawHeaders(name, [b""])[-1] for name in _READ}
        headers = {name: value.decode("latin-1") for name, value in last.items()}
    return answer_outside_django(status, path.decode("latin-1"), headers)


def write(
    channel: Any, status: int, *, sent: Any = None, extra: Mapping[str, str] | None = None
) -> None:
    """A whole answer. The caller closes the connection."""
    kind, page = refusal(status, path_of(channel), sent)
    headers = {**(extra or {}), **headers_of_every_answer()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    reason = _REASONS.get(status, HTTPStatus(status).phrase).encode()
    channel.transport.write(
        _ANSWER % (status, reason, kind.encode(), status, lines, len(page), page)
    )


def _noting_the_line(read: Any) -> Any:
    """Of a first line that cannot be read Twisted keeps nothing; the address stands in it."""

    def line_received(channel: Any, line: bytes) -> None:
        if not hasattr(channel, "_path"):
            channel.damaged_path = line.partition(b" ")[2].partition(b" ")[0]
        read(channel, line)

    return line_received


def _say_it_is_damaged(channel: Any) -> None:
    """A request whose lines Twisted cannot read. By itself it answers with an empty 400."""
    write(channel, 400)
    channel.loseConnection()


def install() -> None:
    """Twisted offers no setting for this; its channel takes the methods by these names."""
    channel: Any = http.HTTPChannel
    if channel._respondToBadRequestAndDisconnect is not _say_it_is_damaged:
        channel._respondToBadRequestAndDisconnect = _say_it_is_damaged
        channel.lineReceived = _noting_the_line(channel.lineReceived)
