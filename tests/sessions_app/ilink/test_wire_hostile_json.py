"""Whatever JSON object arrives: no exception, no hang, nothing that storage refuses."""

import contextlib
import json
import re
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.ilink.errors import UnreadableAnswerError
from sessions_app.ilink.wire import clean, parse_answer, parse_updates, scalars

# What takes longer than linear time does not end within this at 3,000,000 digits.
ends = pytest.mark.timeout(60)
STORABLE = re.compile("[^\0\ud800-\udfff]*", re.DOTALL)
KNOWN_NAMES = """
msgs ret errcode errmsg get_updates_buf longpolling_timeout_ms message_id seq item_list type
ref_msg message_item text_item image_item voice_item file_item video_item media thumb_media text
aeskey aes_key len play_length create_time_ms message_type context_token title
"""
NAMES = st.sampled_from(KNOWN_NAMES.split())
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**60)
    | st.floats()
    | ANY_TEXT
    | st.sampled_from(["1", "-14", "1e5", "0", "99999999999999999999", "\0", "\ud83d", "１２"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES | ANY_TEXT, inner, max_size=6)
    ),
    max_leaves=40,
)


def strings_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings_in(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in strings_in(inner)]
    return []


def raws_in(value: object) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, dict):
        return [raw for inner in value.values() for raw in raws_in(inner)]
    if isinstance(value, list | tuple):
        return [raw for inner in value for raw in raws_in(inner)]
    return []


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans())
def test_no_json_object_raises_and_everything_is_storable(
    fields: dict[str, Any], ascii_only: bool
) -> None:
    copied = dict(fields)
    fields.setdefault("msgs", [fields.get("item_list"), {"item_list": [copied]}, copied])
    body = json.dumps(fields, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    parsed = asdict(parse_updates(body))
    assert parsed.pop("raw") == body
    assert all(STORABLE.fullmatch(text) for text in strings_in(parsed))
    for raw in raws_in(parsed):
        assert raw.isascii()
        json.loads(raw, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_other_bodies_are_unreadable_and_nothing_else(body: bytes) -> None:
    for parse in (parse_updates, parse_answer):
        with contextlib.suppress(UnreadableAnswerError):
            parse(body)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans())
def test_the_quick_parser_reads_and_writes_the_same_values(
    fields: dict[str, Any], ascii_only: bool
) -> None:
    body = json.dumps(fields, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    value = scalars.load(scalars.decoded(body))
    assert scalars.load_body(body) == value
    assert scalars.load(scalars.dump(value).decode("ascii")) == value


@pytest.mark.parametrize(
    "text", ["é", "ÿ你", "你好", "a\\x", "\\U0001", "😀", "\ud800", '\0\x7f"', "\\\\x41"]
)
def test_what_is_written_is_ascii_and_reads_as_the_same(text: str) -> None:
    written = scalars.dump({text: text})
    assert written.isascii()
    assert json.loads(written) == {text: text}


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_cleaned_text_keeps_everything_that_storage_takes(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    joined = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]",
        lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"),
        text,
    )
    assert cleaned == re.sub("[\ud800-\udfff]", "\ufffd", joined).replace("\0", "\u2400")


def test_half_a_smiley_becomes_a_sign_and_both_halves_become_one() -> None:
    assert clean("a\ud83db\0") == "a\ufffdb\u2400"
    assert clean("\ud83d\ude00") == "😀"


@ends
@pytest.mark.parametrize("depth", [70, 900, 5_000, 200_000])
@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_a_deep_field_costs_no_message(depth: int, pair: str) -> None:
    opening = b"[" if pair == "[]" else b'{"a":'
    deep = opening * depth + b"1" + pair[1].encode() * depth
    message = b'{"message_id":1,"item_list":[{"type":1,"text_item":{"text":"kept"},"x":%s}]}' % deep
    parsed = parse_updates(b'{"msgs":[%s,{"message_id":2}],"get_updates_buf":"n"}' % message)
    assert [one.message_id for one in parsed.messages] == ["1", "2"]
    assert parsed.messages[0].items[0].text == "kept"
    assert parsed.messages[0].raw.isascii()
    assert parsed.cursor == "n"


def test_brackets_in_a_string_are_no_depth() -> None:
    text = '[{"\\' * 5_000
    deep = "[" * 100_000 + "]" * 100_000
    body = json.dumps({"get_updates_buf": text, "errmsg": 'quote " and \\'}).encode()
    parsed = parse_updates(body[:-1] + b',"x":' + deep.encode() + b"}")
    assert (parsed.cursor, parsed.error_message) == (text, 'quote " and \\')


def test_a_deep_body_without_its_end_is_unreadable() -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_updates(b'{"a":' + b"[" * 100_000)


def test_quotes_in_quotes_end() -> None:
    item: dict[str, Any] = {"type": 1, "text_item": {"text": "innermost"}}
    for level in range(400):
        item = {"type": 1, "text_item": {"text": str(level)}, "ref_msg": {"message_item": item}}
    body = json.dumps({"msgs": [{"item_list": [item]}]}).encode()
    depth, parsed = 0, parse_updates(body).messages[0].items[0]
    while parsed.quote is not None and parsed.quote.item is not None:
        depth, parsed = depth + 1, parsed.quote.item
    assert depth == 5


@ends
@pytest.mark.parametrize("digits", [5_000, 10_000, 3_000_000])
def test_a_number_of_many_digits_survives(digits: int) -> None:
    number = b"9" * digits
    parsed = parse_updates(
        b'{"ret":0,"msgs":[{"message_id":%s,"create_time_ms":%s,"seq":1.%s}]}'
        % (number, number, number)
    )
    assert parsed.messages[0].message_id == number.decode()
    assert parsed.messages[0].create_time_ms is None
    assert number in parsed.messages[0].raw


def test_no_number_that_is_none_is_a_number() -> None:
    parsed = parse_updates(
        b'{"ret":NaN,"get_updates_buf":-Infinity,"msgs":[{"message_id":NaN,"create_time_ms":1e400}]}'
    )
    assert (parsed.code, parsed.cursor) == (0, None)
    assert parsed.messages[0].message_id == ""
    assert parsed.messages[0].create_time_ms is None


def test_a_large_id_with_a_fraction_keeps_its_digits() -> None:
    parsed = parse_updates(b'{"msgs":[{"message_id":7512345678901234567.0}]}')
    assert parsed.messages[0].message_id == "7512345678901234567"


def test_of_duplicate_keys_the_last_counts() -> None:
    assert parse_updates(b'{"get_updates_buf":"a","get_updates_buf":"b"}').cursor == "b"


def test_bytes_that_are_no_utf8_cost_no_message() -> None:
    parsed = parse_updates(b'{"msgs":[{"from_user_id":"a\xff\xedb"},{"client_id":"\xed\xa0\xbd"}]}')
    assert parsed.messages[0].from_user_id.startswith("a\ufffd")
    assert len(parsed.messages) == 2


def test_raw_control_characters_cost_no_message() -> None:
    parsed = parse_updates(b'\xef\xbb\xbf{"msgs":[{"client_id":"a\x00\n\tb"}]}')
    assert parsed.messages[0].client_id == "a\u2400\n\tb"
    assert parsed.messages[0].raw == b'{"client_id":"a\\u0000\\n\\tb"}'
