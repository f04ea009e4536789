"""Bodies of answers that are made piece by piece, so that no process holds the whole."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest


def in_pieces(
    request: HttpRequest, pieces: Iterator[bytes]
) -> Iterator[bytes] | AsyncIterator[bytes]:
    """A body for StreamingHttpResponse. Under ASGI each piece is made in the request's thread.

    The thread gives its database connection back while the client reads.
    """
    return _in_thread(pieces) if isinstance(request, ASGIRequest) else pieces


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    def following() -> bytes:
        try:
            return next((one for one in pieces if one), b"")
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()

    while piece := await sync_to_async(following)():
        yield piece
