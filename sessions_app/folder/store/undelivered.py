"""Answers of WeChat that nobody is known to have yet: kept in the folder, synced, until they do.

WeChat is not relied on to repeat an answer. One file per answer under `.undelivered/` of the base,
written and removed only by whoever holds the poll lock; a session's rename or end leaves it.
"""

import base64
import binascii
import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass

from . import disk
from .disk import DRAFT_SUFFIX, JsonObject
from .errors import FolderError
from .places import entries
from .scanning import UNDELIVERED_FOLDER
from .values import text

_numbers = itertools.count()
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer of getupdates. `raw` is its body; `bot_id` whose it is, whatever folder it had.

    `cursor_before` was asked with, `cursor_after` is what the answer moved it to.
    """

    bot_id: str
    cursor_before: str
    cursor_after: str
    raw: bytes
    key: str = ""


def keep(base: int, answer: KeptAnswer) -> str:
    """Store and sync; the key to remove it by."""
    key = f"{time.time_ns():020d}-{next(_numbers) % 1_000_000:06d}{_SUFFIX}"
    fields: JsonObject = {
        "bot_id": answer.bot_id,
        "cursor_before": answer.cursor_before,
        "cursor_after": answer.cursor_after,
        "answer": base64.b64encode(answer.raw).decode("ascii"),
    }
    with disk.subfolder(base, UNDELIVERED_FOLDER, make=True) as folder:
        disk.write_object(folder, key, fields)
    return key


def kept(base: int, *, tidy: bool = True) -> list[KeptAnswer]:
    """In the order they came. What cannot be read stays where it is; `tidy` removes drafts."""
    answers: list[KeptAnswer] = []
    try:
        with disk.subfolder(base, UNDELIVERED_FOLDER) as folder:
            for entry in entries(folder):
                if entry.name.endswith(DRAFT_SUFFIX):
                    if tidy:
                        disk.remove(folder, entry.name)  # of a writer that was killed
                elif entry.name.endswith(_SUFFIX) and (found := _read(folder, entry.name)):
                    answers.append(found)
    except FileNotFoundError:
        pass
    return answers


def drop(base: int, keys: Iterable[str]) -> None:
    """They are known to have arrived."""
    try:
        with disk.subfolder(base, UNDELIVERED_FOLDER) as folder:
            for key in keys:
                disk.remove(folder, key)
    except FileNotFoundError:
        return


def still_open(answers: list[KeptAnswer], cursors: dict[str, str]) -> list[KeptAnswer]:
    """Those beyond the cursor on disk; `cursors` by bot id.

    Whoever was killed between writing a cursor and removing its answers had delivered them: an
    answer is done when it, or a later one of its bot, moved to the very cursor on disk.
    """
    done: set[str] = set()
    for bot_id in {answer.bot_id for answer in answers}:
        mine = [answer for answer in answers if answer.bot_id == bot_id]
        reached = [
            place
            for place, answer in enumerate(mine)
            if answer.cursor_after and answer.cursor_after == cursors.get(bot_id)
        ]
        if reached:
            done.update(answer.key for answer in mine[: reached[-1] + 1])
    return [answer for answer in answers if answer.key not in done]


def _read(folder: int, name: str) -> KeptAnswer | None:
    try:
        fields = disk.read_object(folder, name) or {}
        raw = base64.b64decode(text(fields.get("answer")), validate=True)
    except (FolderError, binascii.Error, ValueError):
        return None
    return KeptAnswer(
        bot_id=text(fields.get("bot_id")),
        cursor_before=text(fields.get("cursor_before")),
        cursor_after=text(fields.get("cursor_after")),
        raw=raw,
        key=name,
    )
