"""Keeps answers of WeChat on disk until their delivery is certain.

WeChat is not relied on to repeat an answer. Each answer is a synced file under `.undelivered/` of
the base, written and removed only by the holder of the poll lock. Renaming or removing a session
leaves it.
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
    """One answer of getupdates. `raw`: its body; `bot_id`: its bot, whatever the session's name.

    `cursor_before` was sent with the request; `cursor_after` came with the answer.
    """

    bot_id: str
    cursor_before: str
    cursor_after: str
    raw: bytes
    key: str = ""


def keep(base: int, answer: KeptAnswer) -> str:
    """Store and sync an answer. Returns the key to remove it by."""
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
    """All kept answers in order of arrival.

    Unreadable files stay. `tidy` removes temporary files.
    """
    answers: list[KeptAnswer] = []
    try:
        with disk.subfolder(base, UNDELIVERED_FOLDER) as folder:
            for entry in entries(folder):
                if entry.name.endswith(DRAFT_SUFFIX):
                    if tidy:
                        disk.remove(folder, entry.name)  # left by a killed writer
                elif entry.name.endswith(_SUFFIX) and (found := _read(folder, entry.name)):
                    answers.append(found)
    except FileNotFoundError:
        pass
    return answers


def drop(base: int, keys: Iterable[str]) -> None:
    """Remove answers that are known to have been delivered."""
    try:
        with disk.subfolder(base, UNDELIVERED_FOLDER) as folder:
            for key in keys:
                disk.remove(folder, key)
    except FileNotFoundError:
        return


def still_open(answers: list[KeptAnswer], cursors: dict[str, str]) -> list[KeptAnswer]:
    """The answers beyond the cursors on disk. `cursors`: by bot id.

    A process may be killed after it wrote a cursor and before it removed the answers. So an answer
    is done if it, or a later one of its bot, leads to the cursor on disk.
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
