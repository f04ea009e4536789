"""What somebody typed as safe markup: line ends, WeChat's faces, links, names after “@”. Pure.

Everything is escaped. Links open apart and tell nobody whence; they read from left to right
whatever direction the text around them forces. A sign that nobody sees stands there by its number;
`data-sign` says which it is, so that a copy has the text as it came.
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
FOLDS_OVER = 40
"""Lines; longer texts are shown in part until somebody asks for the whole."""
LINE_WIDTH = 76
"""Latin letters that one line of a bubble takes, about; a Chinese character counts as two."""


def shown(text: str, *, names: bool = False) -> SafeString:
    """Markup for a bubble; the css keeps its line ends. `names`: mark “@wei”, for notes."""
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
    """`text`: the whole of it, which says what is writing in its script."""
    found = pieces(piece, keeps_lines=True, within=text)
    return format_html_join("", "{}", ((_sign(sign, shown),) for sign, shown in found))


def _sign(sign: str, shown: str) -> str:
    if not sign:
        return shown
    markup = '<bdi class="sign" data-sign="{}">{}</bdi>'
    return format_html(markup, f"{ord(sign):x}", shown)


def in_one_line(text: str) -> str:
    """For previews: the faces as characters, no markup."""
    return _FACES.sub(lambda found: EMOJI.get(found[0], found[0]), text)


def folded_lines(text: str) -> int:
    """How many lines a long text takes in a bubble; 0 where it is shown whole."""
    if len(text) <= FOLDS_OVER:
        return 0
    lines = sum(max(1, -(-_width(line) // LINE_WIDTH)) for line in text.split("\n"))
    return lines if lines > FOLDS_OVER else 0


def _width(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


def _piece(found: re.Match[str]) -> tuple[SafeString | None, int]:
    """Its markup, None where it is text after all, and how much of the match it takes."""
    kind, words = str(found.lastgroup), found[0]
    if kind in KINDS:
        address = address_of(found)
        if address is None:
            return None, 0
        apart = ' target="_blank"' if kind in ("page", "www") else ""
        markup = '<a href="{}"{} rel="noopener noreferrer nofollow ugc" dir="ltr">{}</a>'
        link = format_html(markup, address.href, SafeString(apart), address.shown)
        return link, len(address.shown)
    if kind == "face":
        if words not in EMOJI:
            return None, 0
        markup = '<span class="emoji" role="img" aria-label="{}" title="{}">{}</span>'
        return format_html(markup, words, words, EMOJI[words]), len(words)
    return format_html('<span class="named">{}</span>', words), len(words)
