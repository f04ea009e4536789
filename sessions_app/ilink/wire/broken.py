"""Extracts the messages before the break from an incomplete answer of getupdates. Pure.

WeChat may consider everything sent as read, so the rest of the answer may never come again.
"""

import dataclasses
import re

from .scalars import decoded, load_prefix
from .updates import parse_message, parse_updates
from .values import IncomingMessage, Updates

SHORTEST_MESSAGE_BYTES = 80
"""The size of the shortest message ever seen.

It limits how many messages the missing part can hold.
"""
MAX_NAMED = 20
_MSGS = re.compile(r'"msgs"\s*:\s*\[')
_PERSON = re.compile(r'"(?:from|to)_user_id"\s*:\s*"([^"\\]{1,200})"')
_END = re.compile(r"\s*\]")
_SEPARATOR = re.compile(r"[\s,]*")


def parse_broken(body: bytes, why: str, *, length: int | None = None) -> Updates:
    """The content of an answer that broke off. `length`: its complete size in bytes, if known.

    `why`: one sentence. Never raises, whatever `body` is.
    """
    text = decoded(body)
    messages, end = _leading_messages(text)
    named = dict.fromkeys(_PERSON.findall(text[end:]))
    return Updates(
        code=0,
        error_message="",
        messages=messages,
        strays=(),
        cursor=None,
        longpoll_timeout_ms=None,
        raw=body,
        broke_off=why,
        named=tuple(named)[:MAX_NAMED],
        missing=_most_missing(text[end:], None if length is None else length - len(body)),
    )


def parse_kept(body: bytes, broke_off: str, missing: int | None) -> Updates:
    """Parse an answer that was kept as bytes.

    `broke_off` and `missing` are the values from then.
    """
    if not broke_off:
        return parse_updates(body)
    return dataclasses.replace(parse_broken(body, broke_off), missing=missing)


def _leading_messages(text: str) -> tuple[tuple[IncomingMessage, ...], int]:
    """The complete messages of `msgs` before the break, and the offset after the last of them."""
    begun = _MSGS.search(text)
    if begun is None:
        return (), 0
    messages: list[IncomingMessage] = []
    end = begun.end()
    while True:
        start = _SEPARATOR.match(text, end)
        assert start is not None  # the pattern also matches the empty string
        if not text.startswith("{", start.end()):
            return tuple(messages), end
        try:
            fields, end = load_prefix(text, start.end())
            messages.append(parse_message(fields))
        except (ValueError, RecursionError):
            return tuple(messages), end


def _most_missing(rest: str, bytes_missing: int | None) -> int | None:
    """The maximum number of messages in the missing part, or None if unknown.

    One that has begun, and as many of the shortest kind as fit into the missing bytes.
    """
    if _END.match(rest):
        return 0
    if bytes_missing is None:
        return None
    return max(1, ("{" in rest) + max(0, bytes_missing) // SHORTEST_MESSAGE_BYTES)
