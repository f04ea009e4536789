"""The helper process: decodes untrusted pictures and voices outside of the console.

`python -m messaging.media.workbench` reads one JSON job per line and writes one JSON answer per
line, until its input ends. It has no database and no secrets. Each job is done by a child that has
nothing but the folder of its file (`confinement`); a crash costs one file's preview.
"""

import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from PIL import Image

from messaging.media.confinement import confine, end_with_parent
from messaging.media.pictures import (
    NotAPicture,
    TooLittle,
    TooManyPixels,
    make_logo,
    make_thumbnail,
)
from messaging.media.voice import BARS, NotAVoice, TooLong, silk_to_wav

logger = logging.getLogger(__name__)

NICENESS = 10
MOST_ANSWER_BYTES = 64 * 1024
FACTS = {"width", "height", "duration_ms", "is_incomplete"}
MOST_OF_A_FACT = 2**31

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


def answer_of_child(job: Job) -> Job:
    """Do the job in a child that has nothing but the folder of the file."""
    reads, writes = os.pipe()
    ours = os.getpid()
    child = os.fork()
    if child == 0:
        _answer_and_end(job, writes, ours)
    os.close(writes)
    with open(reads, "rb") as pipe:
        said = pipe.read(MOST_ANSWER_BYTES)
    os.waitpid(child, 0)
    return _parsed(said)


def _answer_and_end(job: Job, writes: int, parent: int) -> NoReturn:
    try:
        end_with_parent(parent)
        _close_all_but(writes)
        os.write(writes, json.dumps(_confined_answer(job)).encode())
    finally:
        os._exit(0)


def _confined_answer(job: Job) -> Job:
    try:
        confine(Path(job["source"]).parent)
    except OSError as error:
        return {"trouble": error.errno}
    return answer_to(job)


def _close_all_but(kept: int) -> None:
    """Neither the other jobs nor the console's log are the child's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, kept)
    os.closerange(kept + 1, 65_536)


def _parsed(said: bytes) -> Job:
    """What the child says, if it is an answer: the file may have taken the child over."""
    try:
        answer = json.loads(said)
    except ValueError:
        return {"refused": "not_readable"}
    made = answer.get("made") if isinstance(answer, dict) else None
    if isinstance(made, dict) and all(_is_fact(name, value) for name, value in made.items()):
        return {"made": made}
    known = {code for _kind, code in _REFUSALS}
    if isinstance(answer, dict) and isinstance(number := answer.get("trouble"), int):
        words = "a file is not decoded, as its process cannot be confined: %s"
        logger.warning(words, os.strerror(number))
    code = answer.get("refused") if isinstance(answer, dict) else None
    return {"refused": code if isinstance(code, str) and code in known else "not_readable"}


def _is_fact(name: str, value: object) -> bool:
    if name == "peaks":
        return isinstance(value, str) and len(value) <= BARS and value.isascii()
    return name in FACTS and isinstance(value, int) and 0 <= value < MOST_OF_A_FACT


def main() -> None:
    """Ignores Ctrl+C, as the console ends us."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # nothing else may be printed between two answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):
        os.nice(NICENESS)
    Image.preinit()
    Image.init()  # once for all children
    for line in sys.stdin:
        answers.write(json.dumps(answer_of_child(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
