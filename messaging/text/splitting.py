"""Splits a long text into parts that are short enough for a phone. No I/O.

It cuts at the end of a line if possible, else after a sentence, else at a space, else between two
graphemes: never inside what a reader sees as one character.
"""

import regex

from sessions_app.ilink.wire import MAX_TEXT_BYTES

_GRAPHEME = regex.compile(r"\X")
# Best first. Each pattern matches up to and including the place to cut after.
_ENDS = (
    regex.compile(r"(?s).*\n"),
    regex.compile(r"(?s).*(?:[。！？；…]|[.!?;](?=\s))[”’」』）)\"']*"),
    regex.compile(r"(?s).*[\s，、,]"),
)
LEAST_FILL = 2
"""A better place to cut is used only if the part is at least half full."""


def parts_of(text: str, *, characters: int, most_bytes: int = MAX_TEXT_BYTES) -> list[str]:
    """The parts in order. Only line ends and spaces at the cuts are left out."""
    parts, rest = [], text.strip("\n")
    while len(rest) > characters or _bytes(rest) > most_bytes:
        head = _head(rest, characters, most_bytes)
        parts.append(head.rstrip())
        rest = rest[len(head) :].lstrip("\n")
    parts.append(rest)
    return [part for part in parts if part.strip()]


def _head(text: str, characters: int, most_bytes: int) -> str:
    fits = _fitting(text, characters, most_bytes)
    for end in _ENDS:
        found = end.match(fits)
        if found and len(found[0]) * LEAST_FILL >= len(fits) and found[0].strip():
            return str(found[0])
    return fits


def _fitting(text: str, characters: int, most_bytes: int) -> str:
    """As many graphemes as fit, but at least one, since a grapheme cannot be cut."""
    length = size = 0
    for found in _GRAPHEME.finditer(text):
        grapheme = found[0]
        length, size = length + len(grapheme), size + _bytes(grapheme)
        if found.start() and (length > characters or size > most_bytes):
            return text[: found.start()]
    return text


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
