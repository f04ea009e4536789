"""Serves stored files over HTTP: ranges, revalidation, and headers that keep them harmless.

The caller has checked access. Nothing here reads the database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags

from messaging.media import kinds, storing
from sessions_app.pages.pieces import in_pieces

PIECE_BYTES = 128 * 1024
OPEN_RANGE_BYTES = 4 * 1024 * 1024
"""Bytes sent for an open-ended range; players ask for more when they need it."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The browser may keep it but must ask each time, since access may have changed.
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}


@dataclass(frozen=True, slots=True)
class Served:
    """One stored file. `inline`: a browser may show it; otherwise it is downloaded."""

    stored_name: str
    content_type: str
    file_name: str
    inline: bool

    @property
    def etag(self) -> str:
        """The storage never reuses a name, so the name identifies the bytes."""
        return f'"{sha256(self.stored_name.encode()).hexdigest()[:32]}"'


def respond(request: HttpRequest, served: Served) -> HttpResponseBase:
    """The file, a part of it, 304 or 416. Raises Http404 if the bytes are gone."""
    headers = _headers(served)
    if _is_known(request, served):
        return HttpResponseNotModified(headers=headers)
    try:
        file = storing.open_stored(served.stored_name)
        size = file.seek(0, 2)
    except OSError:
        raise Http404 from None
    first, last, status = _asked_part(request, served, size)
    if status == 416:
        file.close()
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        file.close()
        return HttpResponse(status=status, headers=headers)
    return _streamed(request, file, first, last, status, headers)


def _headers(served: Served) -> dict[str, str]:
    inline = served.inline and served.content_type in kinds.SHOWN
    return {
        **_HARMLESS,
        "Content-Type": served.content_type if inline else kinds.UNKNOWN,
        "Content-Disposition": content_disposition_header(not inline, served.file_name)
        or "attachment",
        "ETag": served.etag,
        "Vary": "Cookie, Authorization",
    }


def _is_known(request: HttpRequest, served: Served) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or any(tag.removeprefix("W/") == served.etag for tag in known)


def _asked_part(request: HttpRequest, served: Served, size: int) -> tuple[int, int, int]:
    """First byte, last byte and status: 206, 416, or 200 for the whole file."""
    whole = (0, size - 1, 200)
    asked = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    condition = request.headers.get("If-Range", served.etag)
    if asked is None or condition != served.etag or not (asked[1] or asked[2]):
        return whole
    if not asked[1]:  # a suffix range: the last N bytes
        count = min(int(asked[2]), size)
        return (size - count, size - 1, 206 if count else 416)
    first = int(asked[1])
    last = int(asked[2]) if asked[2] else first + OPEN_RANGE_BYTES - 1
    if last < first:
        return whole
    return (first, min(last, size - 1), 206 if first < size else 416)


class _FilePart(StreamingHttpResponse):
    """Closes its file even if it was not read to the end."""

    def __init__(self, body: object, file: IO[bytes], **options: object) -> None:
        super().__init__(body, **options)  # type: ignore[arg-type]
        self._file = file

    def close(self) -> None:
        super().close()
        self._file.close()


def _streamed(
    request: HttpRequest,
    file: IO[bytes],
    first: int,
    last: int,
    status: int,
    headers: dict[str, str],
) -> StreamingHttpResponse:
    """Stream in pieces. Under ASGI reads run in a thread, so that the loop never waits for disk."""
    body = in_pieces(request, _pieces(file, first, last))
    return _FilePart(body, file, status=status, headers=headers)


def _pieces(file: IO[bytes], first: int, last: int) -> Iterator[bytes]:
    file.seek(first)
    left = last - first + 1
    while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
        left -= len(piece)
        yield piece
