"""What somebody typed as safe markup: line ends, WeChat's faces, links, names after “@”. Pure.

Everything is escaped. Only http and https become links; they open apart and tell nobody whence.
"""

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.wechat_emoji import EMOJI

# Addresses end at the first sign that is not ASCII: Chinese text follows them without a space.
_LINK = r"(?P<link>https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{4,2000})"
_FACE = r"(?P<face>\[[^\[\]\s]{1,12}\])"
_NAME = r"(?P<name>(?<![\w@])@[\w.+\-]+)"
_PLAIN = re.compile(f"{_LINK}|{_FACE}", re.I)
_NOTE = re.compile(f"{_LINK}|{_FACE}|{_NAME}", re.I)
_TRAILING = ".,;:!?'\")]"


def shown(text: str, *, names: bool = False) -> SafeString:
    """Markup for a bubble; the css keeps its line ends. `names`: mark “@wei”, for notes."""
    pieces: list[str] = []
    at = 0
    for found in (_NOTE if names else _PLAIN).finditer(text):
        made, length = _piece(found)
        if made is None:
            continue
        pieces += [text[at : found.start()], made]
        at = found.start() + length
    pieces.append(text[at:])
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def in_one_line(text: str) -> str:
    """For previews: the faces as characters, no markup."""
    return _PLAIN.sub(lambda found: EMOJI.get(found[0], found[0]), text)


def _piece(found: re.Match[str]) -> tuple[SafeString | None, int]:
    """Its markup, None where it is text after all, and how much of the match it takes."""
    kind, words = str(found.lastgroup), found[0]
    if kind == "link":
        address = _without_trailing(words)
        markup = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow ugc">{}</a>'
        return format_html(markup, address, address), len(address)
    if kind == "face":
        if words not in EMOJI:
            return None, 0
        markup = '<span class="emoji" role="img" aria-label="{}" title="{}">{}</span>'
        return format_html(markup, words, words, EMOJI[words]), len(words)
    return format_html('<span class="named">{}</span>', words), len(words)


def _without_trailing(address: str) -> str:
    """A full stop after an address ends the sentence; a bracket stays where it was opened in it."""
    while address and address[-1] in _TRAILING:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
