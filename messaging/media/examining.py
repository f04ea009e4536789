"""Finds out what a file on disk is and what can be shown of it. No database, no network."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from messaging.media import kinds, storing
from messaging.media.limits import MediaLimits
from messaging.media.workshop import WorkRefused, Workshop


@dataclass(frozen=True, slots=True)
class Examined:
    """`content_type` is read from the bytes; unknown if the file does not decode as its type.

    `error`: "" or why the file cannot be shown; it can still be kept. `thumb` and `sound` are files
    beside the examined one. `is_incomplete`: the end is missing; they show the part that is there.
    """

    size: int
    content_type: str
    error: str = ""
    thumb: Path | None = None
    sound: Path | None = None
    is_incomplete: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    """width, height, duration_ms and peaks, as far as they are known."""


async def examine(path: Path, *, workshop: Workshop, limits: MediaLimits, rate: int) -> Examined:
    """For the worker. `rate`: samples per second as WeChat says, 0 if unknown."""
    size, content_type = await asyncio.to_thread(_size_and_type, path)
    job = job_for(path, content_type, limits, rate)
    if job is None:
        return Examined(size, content_type)
    try:
        return _shown(size, content_type, job, await workshop.do(job))
    except WorkRefused as refusal:
        return _refused(size, content_type, refusal.code)


def examine_now(path: Path, *, workshop: Workshop, limits: MediaLimits) -> Examined:
    """The same as `examine`, for a view."""
    size, content_type = _size_and_type(path)
    job = job_for(path, content_type, limits, 0)
    if job is None:
        return Examined(size, content_type)
    try:
        return _shown(size, content_type, job, workshop.do_now(job))
    except WorkRefused as refusal:
        return _refused(size, content_type, refusal.code)


def as_sent(found: Examined, kind: str) -> Examined:
    """Add the reason if a file sent as picture, voice or video cannot be shown as one."""
    known = _KNOWN.get(kind)
    if found.error or known is None or found.content_type in known[0]:
        return found
    if kind == "voice" and found.content_type in kinds.UNPLAYED:
        return replace(found, error="not_playable")
    return replace(found, error=known[1])


def as_announced(found: Examined, duration_ms: int | None) -> Examined:
    """Mark a voice as incomplete if it is much shorter than the length that WeChat announced, even
    if it decodes without errors."""
    heard_ms = found.facts.get("duration_ms")
    if found.sound is None or heard_ms is None or not duration_ms:
        return found
    is_short = duration_ms - heard_ms > max(_TOLERANCE_MS, duration_ms // 10)
    return replace(found, is_incomplete=found.is_incomplete or is_short)


_TOLERANCE_MS = 1_000


_KNOWN: dict[str, tuple[frozenset[str], str]] = {
    "image": (kinds.PICTURES, "not_a_picture"),
    "voice": (kinds.SOUNDS | {kinds.SILK}, "not_a_voice"),
    "video": (kinds.VIDEOS, "not_a_video"),
}


def _size_and_type(path: Path) -> tuple[int, str]:
    return path.stat().st_size, storing.type_of(path)


def job_for(path: Path, content_type: str, limits: MediaLimits, rate: int) -> dict[str, Any] | None:
    """The job for the helper process; None if there is nothing to make."""
    if content_type in kinds.PICTURES:
        return {
            "do": "picture",
            "source": str(path),
            "target": f"{path}.thumb",
            "most_pixels": limits.most_pixels,
        }
    if content_type == kinds.SILK:
        return {
            "do": "voice",
            "source": str(path),
            "target": f"{path}.wav",
            "rate": rate,
            "most_bytes": limits.most_silk_bytes,
            "most_seconds": limits.most_voice_s,
        }
    return None


def _shown(size: int, content_type: str, job: dict[str, Any], made: dict[str, Any]) -> Examined:
    target, is_incomplete = Path(job["target"]), bool(made.pop("is_incomplete", False))
    thumb, sound = (target, None) if job["do"] == "picture" else (None, target)
    return Examined(
        size, content_type, thumb=thumb, sound=sound, is_incomplete=is_incomplete, facts=made
    )


def _refused(size: int, content_type: str, code: str) -> Examined:
    """Drop the type of a picture that does not decode, so that no browser shows it as one."""
    kept = content_type if content_type == kinds.SILK else kinds.UNKNOWN
    return Examined(size, kept, error=code)
