"""Turns typed text into safe markup: WeChat's emoji codes, links, mentions. No I/O.

Everything is escaped. Links open in a new tab without a referrer, and read from left to right
whatever the direction of the text. An invisible character is shown by its code point; `data-sign`
holds the character's code, so that copying gives the original text.
"""

import re
import unicodedata

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from messaging.text.linking import KINDS, PATTERN, address_of
from messaging.text.wechat_emoji import EMOJI
from sessions_app.text.unseen import pieces

_FACE = r"(?P<face>\[[^\[\]\s]{1,12}\])"
_NAME = r"(?P<name>(?<![\w@])@[\w.+\-]+)"
_FACES = re.compile(_FACE)
_PLAIN = re.compile(f"{PATTERN}|{_FACE}")
_NOTE = re.compile(f"{PATTERN}|{_FACE}|{_NAME}")
_LINK = '<a href="{}" rel="noopener noreferrer nofollow ugc" dir="ltr">{}</a>'
_LINK_APART = _LINK.replace(" rel=", ' target="_blank" rel=')
FOLDS_OVER = 40
"""Lines of a bubble; longer texts are folded until the reader opens them."""
LINE_WIDTH = 76
"""Latin letters per line of a bubble, roughly; a Chinese character counts as two."""


def shown(text: str, *, names: bool = False) -> SafeString:
    """Markup for a bubble; css keeps its line ends. `names`: mark mentions (“@wei”), for notes."""
    parts: list[str] = []
    at = 0
    for found in (_NOTE if names else _PLAIN).finditer(text):
        made, length = _piece(found)
        if made is None:
            continue
        parts += [_seen(text[at : found.start()], text), made]
        at = found.start() + length
    parts.append(_seen(text[at:], text))
    return format_html_join("", "{}", ((part,) for part in parts))


def _seen(piece: str, text: str) -> SafeString:
    """Escape a piece and show invisible characters. `text`: the whole, which tells its script."""
    found = pieces(piece, keeps_lines=True, within=text)
    return format_html_join("", "{}", ((_sign(sign, shown),) for sign, shown in found))


def _sign(sign: str, shown: str) -> str:
    if not sign:
        return shown
    markup = '<bdi class="sign" data-sign="{}">{}</bdi>'
    return format_html(markup, f"{ord(sign):x}", shown)


def in_one_line(text: str) -> str:
    """For previews: replaces emoji codes; returns no markup."""
    return _FACES.sub(lambda found: EMOJI.get(found[0], found[0]), text)


def folded_lines(text: str) -> int:
    """Number of lines of a text that is folded; 0 if it is short enough to show whole."""
    if len(text) <= FOLDS_OVER:
        return 0
    lines = sum(max(1, -(-_width(line) // LINE_WIDTH)) for line in text.split("\n"))
    return lines if lines > FOLDS_OVER else 0


def _width(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


def _piece(found: re.Match[str]) -> tuple[SafeString | None, int]:
    """The markup of a match (None if it is plain text) and how many characters it covers."""
    kind, words = str(found.lastgroup), found[0]
    if kind in KINDS:
        address = address_of(found)
        if address is None:
            return None, 0
        markup = _LINK_APART if kind in ("page", "www") else _LINK
        link = format_html(markup, address.href, address.shown)
        return link, len(address.shown)
    if kind == "face":
        if words not in EMOJI:
            return None, 0
        markup = '<span class="emoji" role="img" aria-label="{}" title="{}">{}</span>'
        return format_html(markup, words, words, EMOJI[words]), len(words)
    return format_html('<span class="named">{}</span>', words), len(words)
