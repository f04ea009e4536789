"""Reads JSON as it really arrives, and single values from it. Accepts everything, trusts nothing.

Python's parser fails on numbers of 4,300 digits and on deep nesting. Neither may lose a batch of
messages, so such numbers become text, and a value nested too deep becomes one string.

msgspec reads and writes correct JSON several times faster than Python's parser, to the same values.
It refuses everything else, and then Python's is used.
"""

import json
import re
from decimal import Decimal

import msgspec

MAX_DIGITS = 600  # Python converts at most 640 in its strictest setting
MAX_DEPTH = 64
MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1

_FLOATS_EXACT_TO = 2.0**53
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_STRINGS_AND_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]+|[\]}]+', re.DOTALL)

JsonObject = dict[str, object]


def _read_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _read_float(digits: str) -> int | float | str:
    """A float if it is exact enough. An id written as 7.5e18 becomes the integer it means."""
    if len(digits) > MAX_DIGITS:
        return digits
    value = float(digits)
    if abs(value) < _FLOATS_EXACT_TO:
        return value
    if value in (float("inf"), float("-inf")):
        return digits
    exact = Decimal(digits)
    return int(exact) if exact == int(exact) else value


def _read_constant(_name: str) -> None:
    """NaN and Infinity are not valid JSON, so the field counts as missing."""


_decoder = json.JSONDecoder(
    strict=False, parse_int=_read_int, parse_float=_read_float, parse_constant=_read_constant
)
_encoder = json.JSONEncoder(
    ensure_ascii=True, check_circular=False, allow_nan=False, separators=(",", ":")
)
_quick_decoder = msgspec.json.Decoder(float_hook=_read_float)
_quick_encoder = msgspec.json.Encoder()


def decoded(body: bytes) -> str:
    """Decode the body as UTF-8. Invalid bytes become U+FFFD."""
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return body.decode(encoding, "replace")


def load(text: str) -> object:
    """Parse any JSON value. Raises ValueError if invalid, RecursionError if nested too deep."""
    value: object = _decoder.decode(text)
    return value


def load_body(body: bytes) -> object:
    """Like `load(decoded(body))`. An integer of 601 to 4,300 digits stays one."""
    try:
        return _quick_decoder.decode(body)
    except msgspec.MsgspecError:
        return load(decoded(body))


def load_prefix(text: str, start: int) -> tuple[JsonObject, int]:
    """Parse the JSON object at `start`. Returns it and its end. Raises ValueError if incomplete."""
    value, end = _decoder.raw_decode(text, start)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value, end


def dump(value: object) -> bytes:
    """Encode a value that `load` returned as ASCII JSON."""
    try:
        encoded = _quick_encoder.encode(value)
    except ValueError:  # it contains a lone surrogate
        return _encoder.encode(value).encode("ascii")
    if encoded.isascii():
        return encoded
    escaped = encoded.decode().encode("ascii", "backslashreplace")
    if b"\\x" in escaped or b"\\U" in escaped:  # not how JSON writes U+00E9 and U+1F600
        return _encoder.encode(value).encode("ascii")
    return escaped


def flattened(text: str) -> str:
    """The same JSON with everything deeper than MAX_DEPTH replaced by one string of its text."""
    pieces: list[str] = []
    depth = kept_to = cut_from = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        first, width = text[match.start()], match.end() - match.start()
        if first in "[{":
            if depth <= MAX_DEPTH < depth + width:
                cut_from = match.start() + MAX_DEPTH - depth
                pieces.append(text[kept_to:cut_from])
            depth += width
        elif first != '"':
            if depth - width <= MAX_DEPTH < depth:
                kept_to = match.start() + depth - MAX_DEPTH
                pieces.append(json.dumps(text[cut_from:kept_to]))
            depth -= width
    if depth <= MAX_DEPTH:  # otherwise it was truncated, and the rest parses as truncated, too
        pieces.append(text[kept_to:])
    return "".join(pieces)


def clean(text: str) -> str:
    """Make text valid for UTF-8 and PostgreSQL.

    NUL becomes U+2400, surrogate pairs are joined, lone surrogates become U+FFFD.
    """
    if "\0" in text:
        text = text.replace("\0", "\u2400")
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def text_of(value: object) -> str:
    """A string, or a number as decimal string, or "" for everything else."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else clean(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def whole_number(value: object) -> int | None:
    """A number, or a string that contains one, as integer. None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    if not isinstance(value, str):
        return None
    digits = value.strip()
    if _INTEGER.fullmatch(digits):
        return int(digits)
    return int(Decimal(digits)) if _DECIMAL.fullmatch(digits) else None


def number_between(value: object, low: int, high: int) -> int | None:
    """Like `whole_number`, but None outside low … high."""
    if value is None:
        return None
    number = value if type(value) is int else whole_number(value)
    return number if number is not None and low <= number <= high else None


def object_of(value: object) -> JsonObject:
    """A JSON object, or an empty one for everything else."""
    return value if isinstance(value, dict) else {}
