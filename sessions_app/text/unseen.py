"""Makes invisible characters visible: controls, direction marks, format characters, blank letters.

Pure. A name such as “invoice<U+202E>fdp.exe” otherwise reads as “invoiceexe.pdf”. Data for programs
(the API, WeChat, downloads) is not changed.
"""

import re
from collections.abc import Iterator

# Scripts whose letters join: Arabic and related ones, Mongolian, and those of South Asia.
_ARABIC = "\u0620-\u07ff\u0840-\u08ff"
_JOINING = (
    f"{_ARABIC}\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1820-\u18aa\u1a20-\u1aaf\u1b00-\u1c4f"
    "\ua800-\ua8ff\ua980-\ua9ff\uaa60-\uaa7f\uabc0-\uabff"
    "\U00010d00-\U00010d3f\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Joiners and selectors that are part of the writing: only single ones, and only where they work.
_KEPT = (
    # Between letters that join, and before a Persian suffix of a Latin word.
    f"(?<=[{_JOINING}])[\u200c\u200d](?![\u200c\u200d])"
    f"|(?<=[0-9A-Za-z])\u200c(?=[{_ARABIC}])"
    # In emoji: families and professions, emoji style, keycaps such as 1️⃣.
    f"|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_EMOJI}])[\ufe0e\ufe0f]"
    "|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    # Flags of England, Scotland and Wales. Other tag sequences are not displayed as flags.
    "|\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067"
    "|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
    # Variants of a Han or Mongolian letter.
    f"|(?<=[{_HAN}])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]"
)
_UNSEEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u2d7f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffc\ufffe\uffff\U0001107f\U00013430-\U00013455\U00016fe4"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_SIGN = re.compile(f"(?P<kept>{_KEPT})|{_UNSEEN}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_MARKS = "\u061c\u200e\u200f"
_FSI, _PDI = "\u2068", "\u2069"


def visible(text: str, *, keeps_lines: bool = False) -> str:
    """One line with every character visible: “␊” for a line end, “[U+202E]” for an override.

    `keeps_lines`: for texts, which are displayed apart from the rest of the page. Keeps line ends
    and tabs, and in right-to-left text the marks that position its characters. Must agree with the
    page's `unseen.js`.
    """
    return "".join(shown for _sign, shown in pieces(text, keeps_lines=keeps_lines))


def pieces(text: str, *, keeps_lines: bool = False, within: str = "") -> Iterator[tuple[str, str]]:
    """The text in pieces: an invisible character with its replacement, or plain text with "".

    `within`: the whole text, if `text` is a part of it.
    """
    stays = "\n\r\t" if keeps_lines else ""
    if keeps_lines and _RIGHT_TO_LEFT.search(within or text):
        stays += _MARKS
    at = 0
    for found in _SIGN.finditer(text):
        if found["kept"] or found[0] in stays:
            continue
        if found.start() > at:
            yield "", text[at : found.start()]
        yield found[0], _shown(found[0])
        at = found.end()
    if at < len(text):
        yield "", text[at:]


def _shown(sign: str) -> str:
    code = ord(sign)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"


def apart(name: str) -> str:
    """A name for use within a sentence: visible, and isolated so that it reorders no other word."""
    shown = visible(name)
    return f"{_FSI}{shown}{_PDI}" if _RIGHT_TO_LEFT.search(shown) else shown
