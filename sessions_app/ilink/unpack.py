"""Decompresses, as a stream, bodies that a gateway compressed although we ask it not to.

A small body must never fill the memory: every piece has a size limit, and the reader counts pieces.
"""

import zlib
from collections.abc import AsyncIterator, Mapping

PIECE_BYTES = 256 * 1024

UnpackError = zlib.error


def is_packed(headers: Mapping[str, str]) -> bool:
    """Whether the answer is compressed in a way that we support."""
    return headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}


async def unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The decompressed bytes of a gzip or zlib stream. Raises UnpackError if it is neither."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # detects both by their headers
    async for piece in pieces:
        pending = piece
        while pending and not unpacker.eof:
            yield unpacker.decompress(pending, PIECE_BYTES)
            pending = unpacker.unconsumed_tail
    yield unpacker.flush()
