"""Files: uploads checked against what was declared, downloads, key encodings, addresses."""

import base64
import secrets
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.media import aes, samples

from .conftest import PERSON, BoundBot

PLAIN = b"a file of some bytes, not a multiple of sixteen"


def wish(plain: bytes, key: bytes, **changes: Any) -> dict[str, Any]:
    return {
        "filekey": secrets.token_hex(16),
        "media_type": 3,
        "to_user_id": PERSON,
        "rawsize": len(plain),
        "rawfilemd5": aes.md5_hex(plain),
        "filesize": (len(plain) // 16 + 1) * 16,
        "aeskey": key.hex(),
        "no_need_thumb": True,
        **changes,
    }


async def put(
    bot: BoundBot, body: bytes, asked: dict[str, Any], address: str = ""
) -> httpx.Response:
    answer = await bot.wire.post("getuploadurl", bot.token, **asked)
    param = quote(answer["upload_param"], safe="")
    address = address or f"/c2c/upload?encrypted_query_param={param}&filekey={asked['filekey']}"
    headers = {"Content-Type": "application/octet-stream"}
    return await bot.wire.client.post(address, content=body, headers=headers)


def file_item(param: str, key: bytes, plain: bytes = PLAIN, **changes: Any) -> dict[str, Any]:
    media = {
        "encrypt_query_param": param,
        "aes_key": base64.b64encode(key.hex().encode()).decode(),
        "encrypt_type": 1,
    }
    content = {"media": media, "file_name": "a.txt", "len": str(len(plain)), **changes}
    return {"type": 4, "file_item": content}


async def test_what_a_bot_uploads_reaches_the_persons_phone(
    bot: BoundBot, control: Control
) -> None:
    context, key = bot.hears(), secrets.token_bytes(16)
    encrypted = aes.encrypt(PLAIN, key)
    param = (await put(bot, encrypted, wish(PLAIN, key))).headers["x-encrypted-param"]
    assert (await bot.says("", context, item=file_item(param, key)))["ret"] == 0
    bubble = control.chat(bot.bot_id, PERSON)["bubbles"][-1]
    assert (bubble["kind"], bubble["file_name"], bubble["broken"]) == ("file", "a.txt", False)
    assert control.media(bubble["media"]) == PLAIN
    back = await bot.wire.client.get("/c2c/download", params={"encrypted_query_param": param})
    assert back.content == encrypted


@pytest.mark.parametrize(
    ("body", "changes", "why"),
    [
        (b"short", {}, "bytes came"),
        (bytes(48), {}, "padding"),
        (None, {"rawfilemd5": "0" * 32}, "md5"),
        (None, {"rawsize": len(PLAIN) - 1}, "after decryption"),
    ],
)
async def test_bad_ciphertexts_are_refused_with_the_reason(
    bot: BoundBot, body: bytes | None, changes: dict[str, Any], why: str
) -> None:
    key = bytes(range(16))
    encrypted = aes.encrypt(PLAIN, key) if body is None else body
    response = await put(bot, encrypted, wish(PLAIN, key, **changes))
    assert response.status_code == 400
    assert why in response.headers["x-error-message"]


@pytest.mark.parametrize(
    "changes",
    [{"filekey": "xyz"}, {"filesize": 47}, {"media_type": 9}, {"rawsize": "47"}, {"aeskey": ""}],
)
async def test_a_wrong_wish_is_a_bad_request(bot: BoundBot, changes: dict[str, Any]) -> None:
    asked = wish(PLAIN, secrets.token_bytes(16), **changes)
    assert (await bot.wire.post("getuploadurl", bot.token, **asked))["ret"] == -1


async def test_unknown_and_unescaped_parameters_find_nothing(bot: BoundBot) -> None:
    key = secrets.token_bytes(16)
    encrypted = aes.encrypt(PLAIN, key)
    wrong = await put(
        bot, encrypted, wish(PLAIN, key), "/c2c/upload?encrypted_query_param=x&filekey=y"
    )
    assert wrong.status_code == 403
    param = (await put(bot, encrypted, wish(PLAIN, key))).headers["x-encrypted-param"]
    assert "+" in param
    raw = await bot.wire.client.get(f"/c2c/download?encrypted_query_param={param}")
    assert raw.status_code == 404
    assert raw.headers["x-error-message"]


async def test_an_upload_is_for_the_person_it_was_asked_for(
    bot: BoundBot, control: Control
) -> None:
    context, key = bot.hears(), secrets.token_bytes(16)
    encrypted = aes.encrypt(PLAIN, key)
    asked = wish(PLAIN, key, to_user_id="somebody@im.wechat")
    param = (await put(bot, encrypted, asked)).headers["x-encrypted-param"]
    answer = await bot.says("", context, item=file_item(param, key))
    assert answer == {"ret": -1, "errmsg": "media was uploaded for somebody else"}
    assert control.sends()[-1]["outcome"] == "refused"


async def test_a_wrong_key_in_the_message_is_a_broken_bubble(
    bot: BoundBot, control: Control
) -> None:
    context, key = bot.hears(), secrets.token_bytes(16)
    param = (await put(bot, aes.encrypt(PLAIN, key), wish(PLAIN, key))).headers["x-encrypted-param"]
    assert (await bot.says("", context, item=file_item(param, bytes(16))))["ret"] == 0
    assert control.chat(bot.bot_id, PERSON)["bubbles"][-1]["broken"]
    assert control.violations()["items"]


async def test_an_outgoing_voice_is_taken_and_never_shown(bot: BoundBot, control: Control) -> None:
    context, key = bot.hears(), secrets.token_bytes(16)
    encrypted = aes.encrypt(PLAIN, key)
    param = (await put(bot, encrypted, wish(PLAIN, key, media_type=4))).headers["x-encrypted-param"]
    media = file_item(param, key)["file_item"]["media"]
    item = {"type": 3, "voice_item": {"media": media, "encode_type": 6, "playtime": 1000}}
    assert "message_id" in await bot.says("", context, item=item)
    assert control.sends()[-1]["outcome"] == "hidden_voice"
    assert [b["from_bot"] for b in control.chat(bot.bot_id, PERSON)["bubbles"]] == [False]


async def test_the_upload_address_comes_as_the_switch_says(bot: BoundBot, control: Control) -> None:
    key = secrets.token_bytes(16)
    control.switches(upload_address="full")
    asked = wish(PLAIN, key)
    answer = await bot.wire.post("getuploadurl", bot.token, **asked)
    assert set(answer) == {"ret", "upload_full_url"}
    sent = await bot.wire.client.post(
        answer["upload_full_url"],
        content=aes.encrypt(PLAIN, key),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert sent.headers["x-encrypted-param"]
    control.switches(upload_address="param")
    assert set(await bot.wire.post("getuploadurl", bot.token, **asked)) == {"ret", "upload_param"}


@pytest.mark.parametrize("encoding", ["hex", "base64_raw", "base64_hex"])
@pytest.mark.parametrize("address", ["full_url", "param"])
async def test_a_customers_picture_can_be_fetched_and_opened(
    bot: BoundBot, encoding: str, address: str
) -> None:
    bot.hears("", kind="image", key_encoding=encoding, address=address)
    [message] = (await bot.polls())["msgs"]
    item = message["item_list"][0]["image_item"]
    media = item["media"]
    assert ("full_url" in media) == (address == "full_url")
    where = media.get("full_url") or (
        f"/c2c/download?encrypted_query_param={quote(media['encrypt_query_param'], safe='')}"
    )
    encrypted = (await bot.wire.client.get(where)).content
    key = {
        "hex": lambda text: bytes.fromhex(text),
        "base64_raw": lambda text: base64.b64decode(text),
        "base64_hex": lambda text: bytes.fromhex(base64.b64decode(text).decode()),
    }[encoding](media["aes_key"])
    assert key.hex() == item["aeskey"]
    assert aes.decrypt(encrypted, key) == samples.picture()


async def test_a_picture_without_a_key_lies_there_plain(bot: BoundBot) -> None:
    bot.hears("", kind="image", plain=True)
    media = (await bot.polls())["msgs"][0]["item_list"][0]["image_item"]["media"]
    assert "aes_key" not in media
    assert (await bot.wire.client.get(media["full_url"])).content == samples.picture()


async def test_each_kind_of_media_carries_its_facts(bot: BoundBot) -> None:
    bot.hears("我要换货", kind="voice")
    bot.hears("", kind="video")
    bot.hears("", kind="file", file_name="note.txt", content=b"twelve bytes")
    voice, video, file = (m["item_list"][0] for m in (await bot.polls())["msgs"])
    assert (voice["voice_item"]["text"], voice["voice_item"]["encode_type"]) == ("我要换货", 6)
    assert video["video_item"]["video_size"] == (len(samples.video()) // 16 + 1) * 16
    assert (file["file_item"]["file_name"], file["file_item"]["len"]) == ("note.txt", "12")


def test_samples_have_true_magic_bytes() -> None:
    assert samples.picture().startswith(b"\x89PNG\r\n\x1a\n")
    assert samples.voice().startswith(b"\x02#!SILK_V3")
    assert samples.pdf().startswith(b"%PDF-")
    assert samples.video()[4:8] == b"ftyp"
