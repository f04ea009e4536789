"""An answer of getupdates that is not whole: the messages before the break, pure.

WeChat may count as read what it has handed out, so the beginning of an answer is all there will be.
"""

import dataclasses
import re

from .scalars import decoded, load_prefix
from .updates import parse_message, parse_updates
from .values import IncomingMessage, Updates

SHORTEST_MESSAGE_BYTES = 80
"""Of the shortest message that was ever seen; what follows a break cannot hold more than fit."""
MAX_NAMED = 20
_MSGS = re.compile(r'"msgs"\s*:\s*\[')
_PERSON = re.compile(r'"(?:from|to)_user_id"\s*:\s*"([^"\\]{1,200})"')
_END = re.compile(r"\s*\]")
_SEPARATOR = re.compile(r"[\s,]*")


def parse_broken(body: bytes, why: str, *, length: int | None = None) -> Updates:
    """What an answer that broke off holds. `length`: the bytes that it should have had, if known.

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
    """An answer that was kept as bytes, read again. `broke_off` and `missing` are as they were."""
    if not broke_off:
        return parse_updates(body)
    return dataclasses.replace(parse_broken(body, broke_off), missing=missing)


def _leading_messages(text: str) -> tuple[tuple[IncomingMessage, ...], int]:
    """The whole messages of `msgs` up to the break, and the place behind the last of them."""
    begun = _MSGS.search(text)
    if begun is None:
        return (), 0
    messages: list[IncomingMessage] = []
    end = begun.end()
    while True:
        start = _SEPARATOR.match(text, end)
        assert start is not None  # it matches nothing, too
        if not text.startswith("{", start.end()):
            return tuple(messages), end
        try:
            fields, end = load_prefix(text, start.end())
            messages.append(parse_message(fields))
        except (ValueError, RecursionError):
            return tuple(messages), end


def _most_missing(rest: str, bytes_missing: int | None) -> int | None:
    """How many messages the part that did not arrive holds at most; None where nobody knows.

    One that is begun, and as many of the shortest kind as fit into the missing bytes.
    """
    if _END.match(rest):
        return 0
    if bytes_missing is None:
        return None
    return max(1, ("{" in rest) + max(0, bytes_missing) // SHORTEST_MESSAGE_BYTES)
