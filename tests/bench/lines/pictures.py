"""Do pictures that arrive all at once keep texts waiting?"""

import base64
import io
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.bench.figures import Figure, Goal
from tests.bench.lines.simulated import SESSION, Stage, until

PICTURES = 200
PICTURE_BYTES = 1_000_000
TEXTS = 60
WRITER, PAINTER = "writer@im.wechat", "painter@im.wechat"


def texts_beside_pictures(folder: Path) -> Figure:
    """From the request that writes a text to the API's answer that has it: median with 200
    pictures of 1 MB arriving, minus the median on a quiet console."""
    with Stage(folder) as stage:
        stage.do("switches", batch_limit=PICTURES)
        _wait_times(stage, lambda done: done >= 10)  # everything is warm
        quiet = _wait_times(stage, lambda done: done >= TEXTS)
        pause, resume = f"sessions/{SESSION}/pause", f"sessions/{SESSION}/resume"
        stage.api.post(pause).raise_for_status()
        picture = base64.b64encode(a_picture()).decode()
        for _ in range(PICTURES):
            stage.do(
                "write", bot_id=stage.bot_id, person_id=PAINTER, kind="image",
                content_base64=picture,
            )  # fmt: skip
        stage.api.post(resume).raise_for_status()
        began = time.monotonic()
        until(lambda: _states(stage), "the pictures' messages")
        busy = _wait_times(stage, lambda _done: _all_here(stage))
        took_s = time.monotonic() - began
    delay_ms = (statistics.median(busy) - statistics.median(quiet)) * 1000
    return Figure(
        "pictures",
        "texts beside 200 pictures of 1 MB: delay, median",
        delay_ms,
        "ms",
        Goal(100),
        notes=f"quiet {statistics.median(quiet) * 1000:.0f} ms of {len(quiet)} texts, "
        f"busy {statistics.median(busy) * 1000:.0f} ms of {len(busy)}, "
        f"slowest {max(busy) * 1000:.0f} ms; all pictures here after {took_s:.1f} s",
    )


def a_picture() -> bytes:
    """Noise, so that a JPEG of it has the size that is wanted."""
    side = 760
    while True:
        out = io.BytesIO()
        noise = Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))
        noise.save(out, "JPEG", quality=90)
        if out.tell() >= PICTURE_BYTES:
            return out.getvalue()
        side += 20


def _wait_times(stage: Stage, enough: Callable[[int], bool]) -> list[float]:
    """Seconds from writing a text to having it, one text after the other, 20 ms between two."""
    found: list[float] = []
    last = stage.api.get("messages", params={"user": WRITER, "limit": 200}).json()["last_id"]
    while not enough(len(found)):
        began = time.perf_counter()
        stage.do("write", bot_id=stage.bot_id, person_id=WRITER, text=f"text {began}")
        answer = stage.api.get("messages", params={"user": WRITER, "after": last, "wait": 20})
        found.append(time.perf_counter() - began)
        last = answer.raise_for_status().json()["last_id"]
        time.sleep(0.02)
    return found


def _states(stage: Stage) -> list[str]:
    query = f"messages?user={PAINTER}&limit={PICTURES}"
    items = stage.api.get(query).raise_for_status().json()["items"]
    return [one["attachments"][0]["state"] for one in items]


def _all_here(stage: Stage) -> bool:
    states = _states(stage)
    return len(states) == PICTURES and set(states) == {"stored"}
