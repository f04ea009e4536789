"""Finds web, mail and telephone addresses in a text. No I/O.

All patterns are bounded, so the time grows with the length of the text only. Addresses are ASCII:
Chinese text may follow without a space, and no lookalike character can hide in a host name. Numbers
that might be an order number, a date or a price are not linked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

_URL_SIGNS = r"A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_REST = rf"(?:[/?#][{_URL_SIGNS}]{{0,2000}})?"
# Letters that belong to a word with Latin ones: “grün.example” is not the host “gr”.
_LETTERS = "\u00aa-\u1fff\u2100-\u214f\u2c00-\u2dff\ua640-\uabff\uff10-\uff5a"
_ENDS = rf"(?![A-Za-z0-9@_\-{_LETTERS}])"
# Without “www.”, only endings that are rarely part of a file name or a word.
_BARE = rf"(?:{_LABEL}\.){{1,4}}(?ai:com|cn|org)(?![A-Za-z0-9\-])"
_ALONE = r"(?<![A-Za-z0-9_@.+=#&%$£¥€\-])(?<![A-Za-z._\-]/)"
_OVER = r"(?![A-Za-z0-9_@]|[\-.:,][0-9]|\.[A-Za-z])"

_MAIL = (
    r"[A-Za-z0-9_](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_+\-])?"
    rf"@(?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,24}}{_ENDS}"
)
_ABROAD = r"\+[1-9][0-9 \-()./]{6,24}[0-9]"
_MOBILE = r"(?:(?:\+|00)86[ \-]?|86-)?1[3-9][0-9][ \-]?[0-9]{4}[ \-]?[0-9]{4}"
_SERVICE = r"[48]00[ \-](?:[0-9]{3}[ \-]?[0-9]{4}|[0-9]{4}[ \-]?[0-9]{3})"
_LANDLINE = r"0(?:10|2[0-9]|[3-9][0-9]{2})-[0-9]{4} ?[0-9]{3,4}"

PATTERN = (
    rf"(?P<page>(?ai:https?)://[{_URL_SIGNS}]{{4,2000}})"
    rf"|(?P<mail>(?<![A-Za-z0-9._%+\-@/{_LETTERS}]){_MAIL})"
    rf"|(?P<www>(?<![A-Za-z0-9_@./:\-{_LETTERS}])(?:(?ai:www)\.(?:{_LABEL}\.){{1,6}}[A-Za-z]{{2,24}}|{_BARE})"
    rf"{_ENDS}{_REST})"
    rf"|(?P<phone>{_ALONE}(?:{_MOBILE}|{_SERVICE}|{_LANDLINE}|{_ABROAD}){_OVER})"
)
"""For use inside a larger pattern; pass its matches to `address_of`."""
KINDS = frozenset({"page", "mail", "www", "phone"})

_SHORTEST = 8
"""Digits of an international number, including its calling code."""
_UNITS = ("%", "元", "€", "$", "￥", "¥")
_TRAILING = ".,;:!?'\")]*"
_IS_NUMBER = re.compile(
    r"(?:order|number|no|nr|id|qq|sn|订单|单号|编号|号码牌|流水|卡号|账号)"
    r"[a-z号]{0,3}[.：:#=是为 ]{0,4}$",
    re.I,
)
_CALLING_CODE = re.compile(
    r"1(?=[2-9][0-9]{9}$)|7|2(?:0|7|[1-69][0-9])|3(?:[0-469]|[578][0-9])"
    r"|4(?:[013-9]|2[0-9])|5(?:[1-8]|[09][0-9])|6(?:[0-6]|[7-9][0-9])"
    r"|8(?:[1246]|[0578][0-9])|9(?:[0-58]|[679][0-9])"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A link. `shown` is the part of the match that it covers; the rest is plain text."""

    href: str
    shown: str


def address_of(found: re.Match[str]) -> Address | None:
    """The link for a match of `PATTERN`; None if it is plain text."""
    kind, words = str(found.lastgroup), found[0]
    if kind in ("page", "www"):
        after = found.string[found.end() : found.end() + 1]
        return _page(_without_trailing(words), "https://" if kind == "www" else "", after)
    if kind == "mail":
        return Address(f"mailto:{quote(words, safe='@+._-')}", words)
    return _phone(found)


def _page(shown: str, scheme: str, after: str) -> Address | None:
    """None if the link would mislead, as `https://bank.example@evil.example/` does."""
    host, *path = re.split(r"[/?#]", (scheme + shown).partition("://")[2], maxsplit=1)
    is_torn = not path and re.match(f"[{_LETTERS}]", after)
    if (not host[:1].isalnum() and not host.startswith("[")) or "@" in host or is_torn:
        return None
    return Address(scheme + shown, shown)


def _phone(found: re.Match[str]) -> Address | None:
    words, text = found[0], found.string
    before, after = text[max(0, found.start() - 16) : found.start()], text[found.end() :][:2]
    if words.startswith("+"):
        return _abroad(words, after)
    if _IS_NUMBER.search(before) or after[:1] in _UNITS:
        return None
    parts = re.split("[ -]", words)
    runs_on = re.search("[0-9][ -]$", before) or re.match("[ -][0-9]", after)
    if len(parts) > 1 and runs_on:
        return None  # part of a longer number, for example a bank card's
    return Address("tel:" + "".join(parts), words)


def _abroad(words: str, after: str) -> Address | None:
    """Parse an international number such as “+49 (0)30 901820”; following digits may be text."""
    while len(words) >= _SHORTEST:
        if (digits := _called(words, after)) is not None:
            return Address(f"tel:+{digits}", words)
        words, _space, rest = words.rpartition(" ")
        after = f" {rest}"
    return None


def _called(words: str, after: str) -> str | None:
    """The digits to dial. None for a sum such as “+20 000 000”."""
    digits = re.sub("[^0-9]", "", words.replace("(0)", ""))
    code = _CALLING_CODE.match(digits)
    if code is None or not _SHORTEST <= len(digits) <= 15 or digits[code.end()] == "0":
        return None
    is_sum = re.fullmatch(r"\+[0-9]{1,3}(?:[.,][0-9]{3})+", words) or after[:1] in _UNITS
    is_torn = re.search(r"[ \-./]{2}|\(\)", words) or words.count("(") != words.count(")")
    return None if is_sum or is_torn else digits


def _without_trailing(address: str) -> str:
    """Drop punctuation that ends the sentence; keep a bracket that was opened in the address."""
    end, opened, closed = len(address), address.count("("), address.count(")")
    while end and address[end - 1] in _TRAILING:
        if address[end - 1] == ")":
            if opened >= closed:
                break
            closed -= 1
        end -= 1
    return address[:end]


def addresses(text: str) -> Iterator[Address]:
    """All addresses in a text, in order."""
    for found in re.finditer(PATTERN, text):
        address = address_of(found)
        if address is not None:
            yield address
