"""Computes keys that recognise a message which WeChat delivers twice. Pure.

The key is the message's id. Without an id it is a hash of sender, content and time, without
everything that may change on a redelivery: links, keys, tokens, update times, a later transcript.
"""

import hashlib
import json
import re
from collections.abc import Sequence

from .values import IncomingMessage

MAX_ID_LENGTH = 40

_CHANGES_ON_REDELIVERY = re.compile(
    r"url|param|token|ticket|aes_?key|encrypt|^update_|^delete_|_state$|^transcript", re.IGNORECASE
)
"""Names of fields whose values may differ between two deliveries of one message."""
_MEDIA = re.compile(r"(^|_)media$", re.IGNORECASE)


def dedupe_keys(messages: Sequence[IncomingMessage], request_cursor: str) -> list[str]:
    """One key per message of an answer, unique within its session.

    `request_cursor`: the cursor that was sent with the request. Two pictures sent at the same
    moment may differ only in their links. If their items give no order, their order in the answer
    is used.
    """
    links: dict[str, list[bytes]] = {}
    keys = []
    for position, message in enumerate(messages):
        key = _id_key(message) or _content_key(message, f"{request_cursor}#{position}")
        if not (message.message_id or message.seq or message.client_id):
            met, raw = links.setdefault(key, []), b"".join(item.raw for item in message.items)
            if raw not in met:
                met.append(raw)
            number = met.index(raw)
            key = f"{key}:{number}" if number else key
        keys.append(key)
    return keys


def _id_key(message: IncomingMessage) -> str:
    usable = message.message_id and len(message.message_id) <= MAX_ID_LENGTH
    return f"id:{message.message_id}" if usable else ""


def _content_key(message: IncomingMessage, place_in_answer: str) -> str:
    """A hash of who, when and what. A message without a time is identified by its position only."""
    when = [message.seq, message.create_time_ms, message.client_id]
    if not any(when):
        when = [place_in_answer]
    who = [message.from_user_id, message.to_user_id]
    what = [_without_changing_fields(_value(item.raw)) for item in message.items]
    identity = json.dumps([message.message_id, who, when, what], sort_keys=True)
    return f"what:{hashlib.sha256(identity.encode()).hexdigest()}"


def _value(raw: bytes) -> object:
    """An item's JSON value. If it cannot be parsed again, its text."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("ascii", "replace")


def _without_changing_fields(value: object, name: str = "") -> object:
    """The value without fields that may change. A voice's `text` is WeChat's transcript."""
    if isinstance(value, dict):
        return {
            key: _without_changing_fields(inner, key)
            for key, inner in value.items()
            if not _CHANGES_ON_REDELIVERY.search(key)
            and not _MEDIA.search(key)
            and not (name == "voice_item" and key == "text")
        }
    if isinstance(value, list):
        return [_without_changing_fields(inner, name) for inner in value]
    return value
