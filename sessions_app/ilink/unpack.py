"""Bodies that a gateway packed although we ask it not to, unpacked as a stream.

A small body must never fill the memory: every piece has a bound, and the reader counts pieces.
"""

import zlib
from collections.abc import AsyncIterator, Mapping

PIECE_BYTES = 256 * 1024

UnpackError = zlib.error


def is_packed(headers: Mapping[str, str]) -> bool:
    """Whether the answer says that it is packed in a way that we know."""
    return headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}


async def unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The plain bytes of a gzip or zlib stream; UnpackError when it is neither."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # knows both by their heads
    async for piece in pieces:
        pending = piece
        while pending and not unpacker.eof:
            yield unpacker.decompress(pending, PIECE_BYTES)
            pending = unpacker.unconsumed_tail
    yield unpacker.flush()
