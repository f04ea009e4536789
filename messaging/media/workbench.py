"""The helper process: decodes untrusted pictures and voices outside of the console.

`python -m messaging.media.workbench` reads one JSON job per line and writes one JSON answer per
line, until its input ends. It has no database and no secrets; a crash costs one file's preview.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from messaging.media.pictures import (
    NotAPicture,
    TooLittle,
    TooManyPixels,
    make_logo,
    make_thumbnail,
)
from messaging.media.voice import NotAVoice, TooLong, silk_to_wav

NICENESS = 10
MOST_MEMORY_BYTES = 1536 * 1024 * 1024
MOST_FILE_BYTES = 256 * 1024 * 1024

Job = dict[str, Any]

_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (NotAPicture, "not_a_picture"),
    (TooLittle, "too_little"),
    (TooManyPixels, "too_many_pixels"),
    (NotAVoice, "not_a_voice"),
    (TooLong, "voice_too_long"),
)


def do_picture(job: Job) -> Job:
    made = make_thumbnail(Path(job["source"]), Path(job["target"]), most_pixels=job["most_pixels"])
    return _drop_false_flag(asdict(made))


def do_logo(job: Job) -> Job:
    made = make_logo(Path(job["source"]), Path(job["target"]), most_pixels=job["most_pixels"])
    return _drop_false_flag(asdict(made))


def do_voice(job: Job) -> Job:
    made = silk_to_wav(
        Path(job["source"]),
        Path(job["target"]),
        rate=job["rate"],
        most_bytes=job["most_bytes"],
        most_seconds=job["most_seconds"],
    )
    return _drop_false_flag(asdict(made))


def _drop_false_flag(made: Job) -> Job:
    """Leave out `is_incomplete` when it is false."""
    if not made["is_incomplete"]:
        del made["is_incomplete"]
    return made


JOBS: dict[str, Callable[[Job], Job]] = {"picture": do_picture, "logo": do_logo, "voice": do_voice}


def answer_to(job: Job) -> Job:
    """`{"made": {…}}`, or `{"refused": code}` if the file cannot be decoded."""
    try:
        return {"made": JOBS[job["do"]](job)}
    except Exception as error:
        for kind, code in _REFUSALS:
            if isinstance(error, kind):
                return {"refused": code}
        return {"refused": "not_readable"}


def _limit_resources() -> None:
    """Lower the priority, limit memory and file size, and ignore Ctrl+C, as the console ends us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):
        os.nice(NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # nothing else may be printed between two answers
    _limit_resources()
    for line in sys.stdin:
        answers.write(json.dumps(answer_to(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
