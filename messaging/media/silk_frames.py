"""Reads the frames of a SILK v3 stream: a header, then length and bytes of each frame. No I/O.

WeChat writes a 0x02 byte before the header and no end marker; other programs write neither or both.
Real files may be cut inside a frame or a length, or end with an end marker, zeros or other bytes.
"""

from dataclasses import dataclass

HEAD = b"#!SILK_V3"
_LENGTH_BYTES = 2
_END_MARK = 0xFFFF
MOST_FRAME_BYTES = 1024
"""The decoder's own limit (MAX_ARITHM_BYTES of the SILK SDK)."""


@dataclass(frozen=True, slots=True)
class Frames:
    """`is_cut`: bytes are missing or invalid after the last frame.

    An empty frame is 20 ms of silence (or was lost on its way to WeChat).
    """

    frames: list[bytes]
    is_cut: bool


def frames_of(data: bytes) -> Frames | None:
    """None if the data is not SILK."""
    at = data.find(HEAD, 0, len(HEAD) + 1)
    if at not in (0, 1):
        return None
    at += len(HEAD)
    frames: list[bytes] = []
    while at + _LENGTH_BYTES <= len(data):
        length = int.from_bytes(data[at : at + _LENGTH_BYTES], "little")
        end = at + _LENGTH_BYTES + length
        if length == _END_MARK:
            return Frames(_without_padding(frames), is_cut=False)
        if length > MOST_FRAME_BYTES or end > len(data):
            break
        frames.append(data[at + _LENGTH_BYTES : end])
        at = end
    return Frames(_without_padding(frames), is_cut=any(data[at:]))


def _without_padding(frames: list[bytes]) -> list[bytes]:
    """Drop zeros after the last frame, which read as empty frames."""
    while frames and not frames[-1]:
        frames.pop()
    return frames
