"""Converts SILK, WeChat's voice format, to WAV for browsers. Runs in the helper process."""

import array
import io
import os
import resource
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pysilk

from messaging.media.silk_frames import HEAD, frames_of

RATES = (8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000)
DEFAULT_RATE = 24_000
BARS = 48
_SAMPLE_BYTES = 2
_FRAMES_PER_S = 50
_MOST_BAD_FRAMES = 100
_MOST_BAD_IN_A_ROW = 10
"""With more bad frames than this, the rest is not treated as a voice."""
_MOST_CPU_S = 20
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class NotAVoice(Exception):  # noqa: N818 - a statement
    """The bytes are not SILK, or no sound can be decoded."""


class TooLong(Exception):  # noqa: N818
    """The decoded voice would be longer than allowed."""


@dataclass(frozen=True, slots=True)
class Sound:
    """`peaks`: loudness over time, one base-36 digit per bar.

    `is_incomplete`: the data was cut, or a part does not decode.
    """

    duration_ms: int
    peaks: str
    is_incomplete: bool = False


def silk_to_wav(
    source: Path, target: Path, *, rate: int, most_bytes: int, most_seconds: int
) -> Sound:
    """Write a mono 16-bit WAV of what decodes. Raises NotAVoice, TooLong."""
    rate = rate if rate in RATES else DEFAULT_RATE
    if source.stat().st_size > most_bytes:
        raise TooLong
    found = frames_of(source.read_bytes())
    if found is None:
        raise NotAVoice
    if len(found.frames) > most_seconds * _FRAMES_PER_S:
        raise TooLong
    samples, is_whole = _decode(found.frames, rate, Path(f"{target}.pcm"))
    if not samples or not (is_whole or any(samples)):
        raise NotAVoice
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(samples)
    duration_ms = len(samples) * 1000 // (_SAMPLE_BYTES * rate)
    return Sound(duration_ms, peaks_of(samples), is_incomplete=found.is_cut or not is_whole)


def _decode(frames: list[bytes], rate: int, scratch: Path) -> tuple[bytes, bool]:
    """The samples of all frames, and whether all of them decoded. Bad frames between good ones
    become silence.

    The decoder stops at a bad frame, so it is started again after it.
    """
    silence = bytes(_SAMPLE_BYTES * rate // _FRAMES_PER_S)
    samples, at, bad, missing = bytearray(), 0, 0, 0
    while at < len(frames) and bad < _MOST_BAD_FRAMES and missing < _MOST_BAD_IN_A_ROW:
        if not frames[at]:
            samples += silence
            at += 1
            continue
        made = _decode_run(frames[at:], rate, scratch)
        if made:
            samples += silence * missing + made
            missing = 0
        at += len(made) // len(silence)
        if at < len(frames) and frames[at]:
            at, bad, missing = at + 1, bad + 1, missing + 1
    return bytes(samples), not bad and at == len(frames)


def _decode_run(frames: list[bytes], rate: int, scratch: Path) -> bytes:
    """The samples of the frames before the first that is empty or does not decode.

    Runs in a process of its own: some broken frames make the decoder corrupt memory and crash. The
    samples that it wrote before are good.
    """
    run = frames[: next((place for place, one in enumerate(frames) if not one), len(frames))]
    stream = HEAD + b"".join(len(one).to_bytes(2, "little") + one for one in run)
    scratch.write_bytes(b"")
    child = os.fork()
    if child == 0:
        _decode_and_end(stream, rate, scratch)
    os.waitpid(child, 0)
    return scratch.read_bytes()


def _decode_and_end(stream: bytes, rate: int, scratch: Path) -> NoReturn:
    """Write each frame at once, so that a crash cannot take it away."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
        with scratch.open("wb", buffering=0) as samples:
            pysilk.decode(io.BytesIO(stream), samples, rate)
    finally:
        os._exit(0)


def peaks_of(samples: bytes, bars: int = BARS) -> str:
    """The loudest sample in each of `bars` equal parts, relative to the loudest of all."""
    values = array.array("h", samples[: len(samples) // 2 * 2])
    step = max(1, len(values) // bars)
    parts = [values[at : at + step] for at in range(0, step * bars, step)]
    peaks = [max(max(part), -min(part)) if part else 0 for part in parts]
    loudest = max(*peaks, 1)
    return "".join(_DIGITS[peak * 35 // loudest] for peak in peaks)
