"""Reads `messages.db`, the SDK's history, and converts its rows to WeChat's wire format.

Never writes to it. No Django. The SDK does not store everything: raw fields and all but one item of
a message are lost.
"""

import json
import os
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

AT_ONCE = 100
"""Rows per transaction. Limited because other writers wait for it."""
STORE_FILE = "messages.db"
_COLUMNS = (
    "id, message_id, user_id, bot_id, msg_type, direction, text, timestamp_ms, context_token, data"
)
_ITEMS = {1: "text_item", 2: "image_item", 3: "voice_item", 4: "file_item", 5: "video_item"}
_FIELDS = {2: "image", 3: "voice", 4: "file", 5: "video"}
_SENT = 2


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row. `wire` is the message as getupdates would return it."""

    id: int
    bot_id: str
    user_id: str
    is_sent: bool
    kind: int
    text: str
    timestamp_ms: int
    wire: dict[str, Any]


def key_of(base: Path) -> str:
    """Identifies the file; "" if there is none. Symbolic links are not followed."""
    try:
        found = os.stat(base / STORE_FILE, follow_symlinks=False)
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}" if stat.S_ISREG(found.st_mode) else ""


def start_position(base: Path, stored_after_s: float) -> int:
    """The last id stored up to this time. Raises sqlite3.Error."""
    found = _ask(
        base, "SELECT coalesce(max(id), 0) FROM messages WHERE stored_at <= ?", stored_after_s
    )
    return int(found[0][0])


def last_id(base: Path) -> int:
    """The highest id, 0 for an empty store. Raises sqlite3.Error."""
    found = _ask(base, "SELECT coalesce(max(id), 0) FROM messages WHERE id > ?", 0)
    return int(found[0][0])


def rows_after(base: Path, position: int) -> list[StoredRow]:
    """The next rows, oldest first; ids follow commit order. Raises sqlite3.Error."""
    # The column names are constants, not input.
    query = f"SELECT {_COLUMNS} FROM messages WHERE id > ? ORDER BY id LIMIT {AT_ONCE}"  # noqa: S608
    return [_row(*found) for found in _ask(base, query, position)]


def _ask(base: Path, query: str, parameter: float) -> list[tuple[Any, ...]]:
    path = quote(str(base / STORE_FILE))
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.5)
    try:
        return connection.execute(query, (parameter,)).fetchall()
    finally:
        connection.close()


def _row(
    pk: int, message_id: object, user_id: object, bot_id: object, kind: object,
    direction: object, text: object, timestamp_ms: object, context_token: object, data: object,
) -> StoredRow:  # fmt: skip
    kind = kind if isinstance(kind, int) else 0
    sent_at = timestamp_ms if isinstance(timestamp_ms, int) else 0
    wire: dict[str, Any] = {
        "message_id": message_id,
        "from_user_id": _text(user_id),
        "to_user_id": _text(bot_id),
        "create_time_ms": sent_at,
        "message_type": 1,
        "message_state": 2,
        "context_token": _text(context_token),
        "item_list": [_item(kind, _text(text), _loaded(data))],
    }
    return StoredRow(
        id=pk,
        bot_id=_text(bot_id),
        user_id=_text(user_id),
        is_sent=direction == _SENT,
        kind=kind,
        text=_text(text),
        timestamp_ms=sent_at,
        wire=wire,
    )


def _item(kind: int, text: str, data: dict[str, Any]) -> dict[str, Any]:
    """One item in wire format. The SDK's `file_size` is `len` there; other names are the same."""
    content: dict[str, Any] = {"text": text}
    if kind in _FIELDS:
        found = data.get(_FIELDS[kind])
        content = dict(found) if isinstance(found, dict) else {}
        if kind == 4:
            content["len"] = content.pop("file_size", "")
    item: dict[str, Any] = {"type": kind, _ITEMS.get(kind, "unknown_item"): content}
    quoted = data.get("ref_msg")
    if isinstance(quoted, dict):
        quoted_text = {"type": 1, "text_item": {"text": _text(quoted.get("text"))}}
        item["ref_msg"] = {"message_item": quoted_text}
    return item


def _loaded(data: object) -> dict[str, Any]:
    if not isinstance(data, str | bytes):
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
