"""What the short answers say: QR codes, receipts, tickets, upload targets."""

import json

import pytest

from sessions_app.ilink.errors import GatewayError, UnreadableAnswerError
from sessions_app.ilink.wire import (
    Answer,
    LoginStatus,
    answer_to,
    parse_answer,
    qr_status_of,
    qrcode_of,
    receipt_of,
    typing_ticket_of,
    upload_target_of,
)


def answer(**fields: object) -> Answer:
    return parse_answer(json.dumps(fields).encode())


def test_a_qr_code_needs_its_handle_and_its_text() -> None:
    drawn = qrcode_of(answer(qrcode="h", qrcode_img_content="https://x"))
    assert (drawn.qrcode, drawn.image_content) == ("h", "https://x")
    with pytest.raises(UnreadableAnswerError):
        qrcode_of(answer(qrcode="h"))


@pytest.mark.parametrize("word", [status for status in LoginStatus if status != "unknown"])
def test_every_word_of_the_wire_is_known(word: str) -> None:
    assert qr_status_of(answer(status=word)).status.value == word


@pytest.mark.parametrize("word", ["brand_new", "", None, 3, {}])
def test_other_words_are_unknown(word: object) -> None:
    assert qr_status_of(answer(status=word)).status is LoginStatus.UNKNOWN


def test_a_confirmed_login_brings_its_credentials() -> None:
    status = qr_status_of(
        answer(
            status="confirmed",
            bot_token="t",
            ilink_bot_id="b@im.bot",
            baseurl="https://x",
            ilink_user_id="u@im.wechat",
        )
    )
    assert (status.bot_token, status.bot_id) == ("t", "b@im.bot")
    assert (status.base_url, status.user_id) == ("https://x", "u@im.wechat")


@pytest.mark.parametrize(
    ("fields", "message_id"),
    [
        ({"message_id": "75"}, "75"),
        ({"message_id": 7_512_345_678_901_234_567}, "7512345678901234567"),
        ({"msg": {"message_id": 5}}, "5"),
        ({"message_id": 0, "data": {"message_id": "6"}}, "6"),
        ({}, None),
        ({"message_id": ""}, None),
        ({"message_id": 0}, None),
        ({"message_id": "0"}, None),
        ({"message_id": None, "msg": [1]}, None),
    ],
)
def test_a_receipt_has_an_id_or_none(fields: dict[str, object], message_id: str | None) -> None:
    assert receipt_of(answer(**fields)).message_id == message_id


def test_a_ticket_may_be_missing() -> None:
    assert typing_ticket_of(answer(typing_ticket="abc=")) == "abc="
    assert typing_ticket_of(answer()) == ""


def test_an_upload_target_needs_one_of_two() -> None:
    assert upload_target_of(answer(upload_param="p")).upload_param == "p"
    assert upload_target_of(answer(upload_full_url="https://x")).upload_full_url == "https://x"
    with pytest.raises(UnreadableAnswerError):
        upload_target_of(answer(upload_param=""))


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502, 524])
@pytest.mark.parametrize("body", [b"<html>", b"{}", b""])
def test_an_http_error_without_a_code_is_the_gateways(status: int, body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        answer_to(status, body)
    assert caught.value.status == status


def test_only_a_4xx_may_carry_a_code_of_its_own() -> None:
    assert answer_to(400, b'{"errcode":-14}').code == -14
    with pytest.raises(GatewayError):
        answer_to(502, b'{"errcode":-14}')
