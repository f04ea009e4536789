"""The helper process: foreign pictures and voices are decoded here, away from the console.

`python -m messaging.media.workbench`: one JSON job per line in, one JSON answer per line out,
until the input ends. It knows no database and no secret; a crash here costs one file's preview.
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

from messaging.media.pictures import NotAPicture, TooLittle, TooManyPixels, make_thumbnail
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
    return _told(asdict(made))


def do_voice(job: Job) -> Job:
    made = silk_to_wav(
        Path(job["source"]),
        Path(job["target"]),
        rate=job["rate"],
        most_bytes=job["most_bytes"],
        most_seconds=job["most_seconds"],
    )
    return _told(asdict(made))


def _told(made: Job) -> Job:
    """What is whole says nothing of it."""
    if not made["is_incomplete"]:
        del made["is_incomplete"]
    return made


JOBS: dict[str, Callable[[Job], Job]] = {"picture": do_picture, "voice": do_voice}


def answer_to(job: Job) -> Job:
    """`{"made": {…}}`, or `{"refused": code}` for what cannot be decoded."""
    try:
        return {"made": JOBS[job["do"]](job)}
    except Exception as error:
        for kind, code in _REFUSALS:
            if isinstance(error, kind):
                return {"refused": code}
        return {"refused": "not_readable"}


def _settle_in() -> None:
    """Behind everybody else, with an end to memory and files; Ctrl+C is for the console."""
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
    sys.stdout = sys.stderr  # nothing else may stand between two answers
    _settle_in()
    for line in sys.stdin:
        answers.write(json.dumps(answer_to(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
