"""Parses the items of a message and the quotes in them. Pure.

Every JSON value becomes an Item. Unknown ones are unsupported and keep their raw text.
"""

from collections.abc import Callable
from typing import Any

from .scalars import (
    MAX_INT32,
    MAX_INT64,
    JsonObject,
    dump,
    load_body,
    number_between,
    object_of,
    text_of,
)
from .values import Item, ItemKind, Media, Quote

MAX_QUOTE_DEPTH = 5

_KINDS = {
    1: ItemKind.TEXT,
    2: ItemKind.IMAGE,
    3: ItemKind.VOICE,
    4: ItemKind.FILE,
    5: ItemKind.VIDEO,
}
_FIELDS = {kind: f"{kind.value}_item" for kind in _KINDS.values()}


def parse_items(listed: object) -> tuple[Item, ...]:
    """Parse an `item_list`. A single value instead of a list counts as a list of it."""
    if listed is None:
        return ()
    entries = listed if isinstance(listed, list) else [listed]
    return tuple(_item(entry, 0) for entry in entries)


def parse_item(raw: bytes) -> Item:
    """Parse one item that was kept (`Item.raw`). Unsupported if it cannot be parsed."""
    try:
        return _item(load_body(raw), 0)
    except (ValueError, RecursionError):
        return Item(kind=ItemKind.UNSUPPORTED, raw=raw)


def identifier(value: object) -> str:
    """An id as decimal string, or "" if missing. Protocol buffers encode a missing number as 0."""
    if not value:
        return ""
    written = str(value) if type(value) is int else text_of(value).strip()
    return "" if written == "0" else written


def _item(entry: object, quote_depth: int) -> Item:
    fields = object_of(entry)
    number = number_between(fields.get("type"), -MAX_INT32, MAX_INT32)
    kind = _kind(number, fields)
    content = object_of(fields.get(_FIELDS[kind])) if kind in _FIELDS else {}
    return Item(
        kind=kind,
        msg_id=identifier(fields.get("msg_id")),
        quote=_quote(fields.get("ref_msg"), quote_depth),
        raw=dump(entry),
        **(_READERS[kind](content) if content else {}),
    )


def _kind(number: int | None, fields: JsonObject) -> ItemKind:
    """The kind by its number, or if that is missing by the only content present."""
    if number is not None:
        return _KINDS.get(number, ItemKind.UNSUPPORTED)
    present = [kind for kind, name in _FIELDS.items() if isinstance(fields.get(name), dict)]
    return present[0] if len(present) == 1 else ItemKind.UNSUPPORTED


def _text(content: JsonObject) -> dict[str, Any]:
    return {"text": text_of(content.get("text"))}


def _image(content: JsonObject) -> dict[str, Any]:
    return {
        "media": _media(content.get("media"), preferred_key=text_of(content.get("aeskey"))),
        "cipher_size": _number(content, "mid_size", MAX_INT64),
        **_thumb(content),
    }


def _voice(content: JsonObject) -> dict[str, Any]:
    return {
        "media": _media(content.get("media")),
        "duration_ms": _number(content, "playtime"),
        "transcript": text_of(content.get("text")),
        "encode_type": _number(content, "encode_type"),
        "sample_rate": _number(content, "sample_rate"),
    }


def _file(content: JsonObject) -> dict[str, Any]:
    return {
        "media": _media(content.get("media")),
        "file_name": text_of(content.get("file_name")),
        "size": _number(content, "len", MAX_INT64),
        "md5": text_of(content.get("md5")),
    }


def _video(content: JsonObject) -> dict[str, Any]:
    length_s = _number(content, "play_length", MAX_INT32 // 1000)
    return {
        "media": _media(content.get("media")),
        "cipher_size": _number(content, "video_size", MAX_INT64),
        "duration_ms": None if length_s is None else length_s * 1000,
        "md5": text_of(content.get("video_md5")),
        **_thumb(content),
    }


_READERS: dict[ItemKind, Callable[[JsonObject], dict[str, Any]]] = {
    ItemKind.TEXT: _text,
    ItemKind.IMAGE: _image,
    ItemKind.VOICE: _voice,
    ItemKind.FILE: _file,
    ItemKind.VIDEO: _video,
}


def _thumb(content: JsonObject) -> dict[str, Any]:
    return {
        "thumb": _media(content.get("thumb_media")),
        "width": _number(content, "thumb_width"),
        "height": _number(content, "thumb_height"),
    }


def _number(content: JsonObject, name: str, high: int = MAX_INT32) -> int | None:
    return number_between(content.get(name), 0, high)


def _media(value: object, preferred_key: str = "") -> Media | None:
    if not isinstance(value, dict):
        return None
    own_key = text_of(value.get("aes_key"))
    return Media(
        encrypt_query_param=text_of(value.get("encrypt_query_param")),
        aes_key=preferred_key or own_key,
        full_url=text_of(value.get("full_url")),
        encrypt_type=_number(value, "encrypt_type"),
        other_key=own_key if preferred_key else "",
    )


def _quote(value: object, depth: int) -> Quote | None:
    """A quote. Nested quotes are parsed a few levels deep; the rest stays in `raw`."""
    if not isinstance(value, dict) or not value:
        return None
    quoted = value.get("message_item")
    followed = isinstance(quoted, dict) and depth < MAX_QUOTE_DEPTH
    item = _item(quoted, depth + 1) if followed else None
    msg_id = identifier(object_of(quoted).get("msg_id")) or identifier(value.get("msg_id"))
    return Quote(title=text_of(value.get("title")), msg_id=msg_id, item=item)
