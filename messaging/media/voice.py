"""SILK, as WeChat records it, to WAV, as browsers play it; runs in the helper process."""

import array
import io
import wave
from dataclasses import dataclass
from pathlib import Path

import pysilk

RATES = (8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000)
DEFAULT_RATE = 24_000
BARS = 48
_SAMPLE_BYTES = 2
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class NotAVoice(Exception):  # noqa: N818 - a statement
    """The bytes are no SILK that decodes to any sound."""


class TooLong(Exception):  # noqa: N818
    """Decoded it would be longer than is allowed here."""


@dataclass(frozen=True, slots=True)
class Sound:
    """`peaks`: loudness over time, one digit of base 36 per bar."""

    duration_ms: int
    peaks: str


class _Bounded(io.BytesIO):
    """A sink that refuses to grow: a few bytes of SILK may decode to very many."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def write(self, data: object, /) -> int:
        written = super().write(data)  # type: ignore[arg-type]
        if self.tell() > self._most_bytes:
            raise TooLong
        return written


def silk_to_wav(
    source: Path, target: Path, *, rate: int, most_bytes: int, most_seconds: int
) -> Sound:
    """Write a mono WAV of 16 bits. Raises NotAVoice, TooLong."""
    rate = rate if rate in RATES else DEFAULT_RATE
    if source.stat().st_size > most_bytes:
        raise TooLong
    sink = _Bounded(most_seconds * rate * _SAMPLE_BYTES)
    try:
        pysilk.decode(io.BytesIO(source.read_bytes()), sink, rate)
    except TooLong:
        raise
    except Exception as error:
        raise NotAVoice from error
    samples = sink.getvalue()
    if not samples:
        raise NotAVoice
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(samples)
    duration_ms = len(samples) * 1000 // (_SAMPLE_BYTES * rate)
    return Sound(duration_ms, peaks_of(samples))


def peaks_of(samples: bytes, bars: int = BARS) -> str:
    """The loudest sample of each of `bars` equal parts, relative to the loudest of all."""
    values = array.array("h", samples[: len(samples) // 2 * 2])
    step = max(1, len(values) // bars)
    parts = [values[at : at + step] for at in range(0, step * bars, step)]
    peaks = [max(max(part), -min(part)) if part else 0 for part in parts]
    loudest = max(*peaks, 1)
    return "".join(_DIGITS[peak * 35 // loudest] for peak in peaks)
