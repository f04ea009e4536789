"""What an answer of getupdates means, field by field."""

import json
from typing import Any

import pytest

from sessions_app.ilink.errors import UnreadableAnswerError
from sessions_app.ilink.wire import (
    IncomingMessage,
    Item,
    ItemKind,
    Media,
    MessageType,
    Quote,
    parse_updates,
)


def updates(**fields: Any) -> Any:
    return parse_updates(json.dumps(fields).encode())


def message(**fields: Any) -> IncomingMessage:
    parsed: IncomingMessage = updates(msgs=[fields]).messages[0]
    return parsed


def item(**fields: Any) -> Item:
    return message(item_list=[fields]).items[0]


def test_a_text_message_is_read_whole() -> None:
    parsed = message(
        seq=7,
        message_id=7_512_345_678_901_234_567,
        from_user_id="ann@im.wechat",
        to_user_id="bot@im.bot",
        client_id="c1",
        session_id="s1",
        group_id="",
        create_time_ms=1_795_000_000_123,
        message_type=1,
        message_state=2,
        context_token="ctx",
        item_list=[{"type": 1, "text_item": {"text": "你好"}}],
    )
    assert parsed.message_id == "7512345678901234567"
    assert parsed.seq == "7"
    assert (parsed.from_user_id, parsed.to_user_id) == ("ann@im.wechat", "bot@im.bot")
    assert parsed.create_time_ms == 1_795_000_000_123
    assert parsed.message_type is MessageType.USER
    assert parsed.message_state == 2
    assert parsed.context_token == "ctx"
    assert [(one.kind, one.text) for one in parsed.items] == [(ItemKind.TEXT, "你好")]
    assert json.loads(parsed.raw)["message_id"] == 7_512_345_678_901_234_567


def test_an_image_prefers_its_own_key() -> None:
    parsed = item(
        type=2,
        image_item={
            "media": {"encrypt_query_param": "q", "aes_key": "other", "encrypt_type": 1},
            "aeskey": "aa" * 16,
            "mid_size": "1040",
            "thumb_media": {"encrypt_query_param": "t", "aes_key": "tk", "full_url": "https://x"},
            "thumb_width": 90,
            "thumb_height": 120.0,
        },
    )
    assert parsed.kind is ItemKind.IMAGE
    assert parsed.media == Media("q", "aa" * 16, "", 1)
    assert parsed.thumb == Media("t", "tk", "https://x", None)
    assert (parsed.cipher_size, parsed.size) == (1040, None)
    assert (parsed.width, parsed.height) == (90, 120)


def test_a_voice_brings_its_transcript_and_no_text() -> None:
    parsed = item(
        type=3,
        voice_item={"playtime": 1500, "encode_type": 6, "sample_rate": 24000, "text": "hello"},
    )
    assert (parsed.kind, parsed.transcript, parsed.text) == (ItemKind.VOICE, "hello", "")
    assert (parsed.duration_ms, parsed.encode_type, parsed.sample_rate) == (1500, 6, 24000)


def test_a_file_has_its_plain_size_as_a_string() -> None:
    parsed = item(type=4, file_item={"file_name": "a.pdf", "len": "123", "md5": "ff"})
    assert (parsed.kind, parsed.file_name, parsed.size) == (ItemKind.FILE, "a.pdf", 123)
    assert (parsed.md5, parsed.cipher_size) == ("ff", None)


def test_a_video_counts_its_length_in_seconds() -> None:
    parsed = item(type=5, video_item={"video_size": 32, "play_length": 3, "video_md5": "ee"})
    assert (parsed.kind, parsed.duration_ms, parsed.md5) == (ItemKind.VIDEO, 3000, "ee")
    assert (parsed.cipher_size, parsed.size) == (32, None)


@pytest.mark.parametrize("number", [0, 6, 8, -1, 10**30, "x"])
def test_an_unknown_type_is_kept_raw(number: object) -> None:
    parsed = item(type=number, new_item={"a": 1})
    assert parsed.kind is ItemKind.UNSUPPORTED
    assert json.loads(parsed.raw) == {"type": number, "new_item": {"a": 1}}


def test_a_missing_type_is_known_by_its_content() -> None:
    assert item(text_item={"text": "hi"}).text == "hi"
    assert item(text_item={}, file_item={}).kind is ItemKind.UNSUPPORTED


def test_an_item_that_is_no_object_is_kept() -> None:
    parsed = message(item_list=["odd", {"type": 1, "text_item": {"text": "after"}}])
    assert [one.kind for one in parsed.items] == [ItemKind.UNSUPPORTED, ItemKind.TEXT]
    assert parsed.items[0].raw == b'"odd"'
    assert message(item_list={"type": 1, "text_item": {"text": "alone"}}).items[0].text == "alone"


def test_a_quote_names_what_it_quotes() -> None:
    quoted = {"type": 1, "msg_id": 99, "text_item": {"text": "before"}}
    parsed = item(type=1, ref_msg={"title": "t", "message_item": quoted})
    assert parsed.quote is not None
    assert (parsed.quote.title, parsed.quote.msg_id) == ("t", "99")
    assert parsed.quote.item is not None
    assert parsed.quote.item.text == "before"
    assert item(type=1, ref_msg={"title": "t"}).quote == Quote("t", "", None)
    assert item(type=1, ref_msg={}).quote is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**70, str(2**70)),
        ("123", "123"),
        (7.5e18, "7500000000000000000"),
        (None, ""),
        (0, ""),
        ("0", ""),
        ("", ""),
        (True, ""),
        ([1], ""),
    ],
)
def test_a_message_id_is_a_decimal_string_or_missing(value: object, text: str) -> None:
    assert message(message_id=value).message_id == text


@pytest.mark.parametrize("value", [None, 0, -5, 1_795_000_000, 10**15, "soon", True, 10**400])
def test_an_absurd_time_is_no_time(value: object) -> None:
    assert message(create_time_ms=value).create_time_ms is None


def test_a_time_may_be_a_string_or_a_fraction() -> None:
    assert message(create_time_ms="1795000000123").create_time_ms == 1_795_000_000_123
    assert message(delete_time_ms=1_795_000_000_123.9).delete_time_ms == 1_795_000_000_123


def test_an_echo_of_a_bot_is_told_from_a_stranger() -> None:
    assert message(message_type="2").message_type is MessageType.BOT
    assert message(message_type=3).message_type is MessageType.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 0),
        ({"ret": 0, "errcode": 0}, 0),
        ({"ret": "0", "errcode": None}, 0),
        ({"ret": -1}, -1),
        ({"errcode": -2}, -2),
        ({"ret": "-14"}, -14),
        ({"ret": -1, "errcode": -14}, -14),
        ({"ret": -14, "errcode": -2}, -14),
        ({"ret": "busy"}, -1),
        ({"ret": True, "errcode": []}, 0),
        ({"ret": -(10**100)}, -(2**31 - 1)),
    ],
)
def test_the_code_is_whichever_is_not_zero(fields: dict[str, object], code: int) -> None:
    assert updates(**fields).code == code


@pytest.mark.parametrize(
    ("value", "cursor"), [("abc", "abc"), ("", None), (None, None), (17, "17"), ([], None)]
)
def test_a_cursor_is_new_only_when_one_came(value: object, cursor: str | None) -> None:
    assert updates(get_updates_buf=value).cursor == cursor


def test_what_is_no_message_is_kept_as_a_stray() -> None:
    parsed = updates(msgs=[1, {"message_id": 5}, "x", None])
    assert parsed.strays == (b"1", b'"x"', b"null")
    assert [one.message_id for one in parsed.messages] == ["5"]
    assert updates(msgs={"message_id": 5}).strays == (b'{"message_id":5}',)
    assert updates(msgs=None).strays == ()


@pytest.mark.parametrize(
    ("value", "hold_ms"),
    [(35_000, 35_000), ("40000", 40_000), (0, None), (-1, None), (10**9, None)],
)
def test_an_absurd_hold_is_none(value: object, hold_ms: int | None) -> None:
    assert updates(longpolling_timeout_ms=value).longpoll_timeout_ms == hold_ms


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"a":', b'"x"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        parse_updates(body)
    assert caught.value.__cause__ is None


def test_the_body_stays_as_received() -> None:
    body = b' {"msgs": [ ], "x": 1.50} '
    assert parse_updates(body).raw is body
