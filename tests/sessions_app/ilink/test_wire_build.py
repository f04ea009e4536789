"""What leaves: headers, bodies, items."""

import base64
import json
from typing import Any

import pytest

from sessions_app.ilink.errors import TextTooLongError
from sessions_app.ilink.wire import (
    ClientIdentity,
    OutgoingItem,
    UploadedFile,
    UploadKind,
    UploadRequest,
    client_version_number,
    config_body,
    file_item,
    image_item,
    post_headers,
    qrcode_body,
    send_body,
    text_item,
    typing_body,
    uin_header,
    upload_url_body,
    video_item,
)

IDENTITY = ClientIdentity(app_version="1.2.3", bot_agent="WeiLinkConsole/1.2.3")
BASE_INFO = {"channel_version": "1.2.3", "bot_agent": "WeiLinkConsole/1.2.3"}
FILE = UploadedFile(encrypt_query_param="q", key=bytes(range(16)), size=16, md5="d" * 32)
MEDIA = {
    "encrypt_query_param": "q",
    "aes_key": base64.b64encode(b"000102030405060708090a0b0c0d0e0f").decode(),
    "encrypt_type": 1,
}


def sent(item: OutgoingItem) -> Any:
    body = send_body(IDENTITY, to_user_id="u", client_id="c", context_token="t", item=item)
    return json.loads(body)


def test_a_text_message_is_exactly_what_the_protocol_says() -> None:
    assert sent(text_item("你好")) == {
        "msg": {
            "from_user_id": "",
            "to_user_id": "u",
            "client_id": "c",
            "message_type": 2,
            "message_state": 2,
            "context_token": "t",
            "item_list": [{"type": 1, "text_item": {"text": "你好"}}],
        },
        "base_info": BASE_INFO,
    }


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (image_item(FILE), {"type": 2, "image_item": {"media": MEDIA, "mid_size": 32}}),
        (video_item(FILE), {"type": 5, "video_item": {"media": MEDIA, "video_size": 32}}),
        (
            file_item(FILE, file_name="a.pdf"),
            {"type": 4, "file_item": {"media": MEDIA, "file_name": "a.pdf", "len": "16"}},
        ),
    ],
)
def test_media_items_carry_the_sizes_the_protocol_asks_for(
    item: OutgoingItem, expected: object
) -> None:
    assert sent(item)["msg"]["item_list"] == [expected]


def test_text_is_counted_in_bytes_of_utf8() -> None:
    assert text_item("a" * 16_384).content["text"] == "a" * 16_384
    with pytest.raises(TextTooLongError) as caught:
        text_item("你" * 5_462)
    assert caught.value.size_bytes == 16_386


def test_nothing_that_utf8_refuses_leaves() -> None:
    assert text_item("a\ud83d\0").content["text"] == "a\ufffd\u2400"
    assert json.loads(config_body(IDENTITY, "u\ud83d", None))["ilink_user_id"] == "u\ufffd"


def test_at_most_ten_local_tokens_are_told() -> None:
    tokens = [f"t{number}" for number in range(12)]
    assert json.loads(qrcode_body(IDENTITY, tokens))["local_token_list"] == tokens[:10]


def test_typing_is_switched_on_and_off() -> None:
    assert json.loads(typing_body(IDENTITY, "u", "k", True))["status"] == 1
    assert json.loads(typing_body(IDENTITY, "u", "k", False)) == {
        "ilink_user_id": "u",
        "typing_ticket": "k",
        "status": 2,
        "base_info": BASE_INFO,
    }


def test_an_upload_names_both_sizes_and_the_key_in_hex() -> None:
    request = UploadRequest("f" * 32, UploadKind.FILE, "u", 15, "d" * 32, bytes(16))
    assert json.loads(upload_url_body(IDENTITY, request)) == {
        "filekey": "f" * 32,
        "media_type": 3,
        "to_user_id": "u",
        "rawsize": 15,
        "rawfilemd5": "d" * 32,
        "filesize": 16,
        "aeskey": "00" * 16,
        "no_need_thumb": True,
        "base_info": BASE_INFO,
    }


def test_headers_say_who_we_are() -> None:
    headers = post_headers(IDENTITY, "tok")
    assert headers["iLink-App-Id"] == "bot"
    assert headers["iLink-App-ClientVersion"] == "66051"
    assert headers["AuthorizationType"] == "ilink_bot_token"
    assert headers["Authorization"] == "Bearer tok"
    assert "Authorization" not in post_headers(IDENTITY)


@pytest.mark.parametrize(
    ("version", "number"), [("1.2.3", "66051"), ("0.1.0", "256"), ("255.255.255.dev1", "16777215")]
)
def test_a_version_becomes_one_number(version: str, number: str) -> None:
    assert client_version_number(version) == number


@pytest.mark.parametrize("version", ["", "1.2", "1.2.256", "1.2.2560", "a.b.c", "１.2.3"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(ValueError):
        client_version_number(version)


@pytest.mark.parametrize("agent", ["", "ä/1.0.0", "x" * 257, "a\nb"])
def test_an_agent_beyond_ascii_or_256_bytes_is_refused(agent: str) -> None:
    with pytest.raises(ValueError):
        ClientIdentity(app_version="1.2.3", bot_agent=agent)


def test_the_uin_is_base64_of_decimal_digits() -> None:
    assert base64.b64decode(uin_header(4_294_967_295)) == b"4294967295"
    assert base64.b64decode(uin_header(0)) == b"0"
