"""Files that their key does not open: kept as they are, opened by the other key, or by a copy."""

from typing import Any

import pytest

from messaging.models import Attachment, Conversation
from messaging.transfers import downloads
from sessions_app.simulator.media import aes
from tests.conftest import Running, until
from tests.messaging.media import samples
from tests.messaging.media.cut_samples import encoded, textured
from tests.messaging.media.rows import (
    KEY,
    bytes_of,
    fetched_messages,
    injected,
    lies_at,
)

WRONG = b"\x5b" * 16
JPEG = encoded(textured(), "JPEG")
CONTENT = b"%PDF-1.4\n" + bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "RETRY_S", (0, 0, 0))


def with_key(media: dict[str, Any], key: bytes, encoding: str = "base64_hex") -> dict[str, Any]:
    return {**media, "aes_key": aes.encode_key(key, encoding), "encrypt_type": 1}


def file(media: Any, content: bytes = CONTENT, **changes: Any) -> dict[str, Any]:
    told = {
        "file_name": "invoice.pdf",
        "len": str(len(content)),
        "md5": aes.md5_hex(content),
    }
    return {"type": 4, "file_item": {"media": media, **told, **changes}}


@pytest.mark.parametrize("encoding", ["hex", "base64_raw", "base64_hex"])
async def test_what_is_not_encrypted_is_kept_as_it_is(running: Running, encoding: str) -> None:
    """A key was named, and the CDN gives the bare file."""
    bare = {
        "image_item": JPEG, "voice_item": samples.VOICE, "video_item": samples.MP4,
    }  # fmt: skip
    items: list[dict[str, Any]] = []
    for number, (name, content) in zip((2, 3, 5), bare.items(), strict=True):
        media = with_key(lies_at(running, content, key=None), KEY, encoding)
        told = {"aeskey": KEY.hex()} if name == "image_item" else {}
        items.append({"type": number, name: {"media": media, **told}})
    items.append(file(with_key(lies_at(running, CONTENT, key=None), KEY, encoding)))
    rows = await fetched_messages(running, *items)
    for row, content in zip(rows, (*bare.values(), CONTENT), strict=True):
        assert (row.state, row.error, row.is_incomplete) == ("stored", "", False), row.kind
        assert bytes_of(row.stored_name) == content
    assert rows[0].thumb_name


async def test_of_two_keys_either_opens_a_picture(running: Running) -> None:
    media = lies_at(running, JPEG)
    items = [
        {"type": 2, "image_item": {"media": with_key(media, first), "aeskey": second}}
        for first, second in (
            (KEY, WRONG.hex()), (WRONG, KEY.hex()), (KEY, "no key at all"), (KEY, ""),
        )
    ]  # fmt: skip
    for row in await fetched_messages(running, *items):
        assert (row.state, row.error) == ("stored", "")
        assert bytes_of(row.stored_name) == JPEG


async def test_what_fits_nothing_is_lost_and_never_kept(running: Running) -> None:
    bare = lies_at(running, CONTENT, key=None)
    rows = await fetched_messages(
        running,
        file(with_key(lies_at(running, CONTENT), WRONG)),
        file(with_key(bare, KEY), md5="0" * 32, len="1"),
        {"type": 2, "image_item": {"media": with_key(lies_at(running, b"<html>", key=None), KEY)}},
    )
    assert {(row.state, row.error, row.stored_name) for row in rows} == {
        ("failed", "wrong_key", ""),
        ("failed", "cdn_unavailable", ""),  # a page in place of the file
    }


async def test_what_is_cut_on_the_cdn_is_shown_as_far_as_it_came(running: Running) -> None:
    """Encrypted, then cut: no padding is right any more, and the head says that the key is."""
    encrypted = aes.encrypt(JPEG, KEY)
    items = [
        {
            "type": 2,
            "image_item": {"media": with_key(lies_at(running, encrypted[:at], key=None), KEY)},
        }
        for at in (len(encrypted) // 32 * 16, len(encrypted) // 2 - 5)
    ]
    for row in await fetched_messages(running, *items):
        assert (row.state, row.error, row.is_incomplete) == ("stored", "", True)
        assert row.thumb_name
        assert JPEG.startswith(bytes_of(row.stored_name))


@pytest.mark.parametrize("fault", ["wrong key", "expired", "elsewhere", "no address"])
async def test_a_second_copy_opens_from_the_first(running: Running, fault: str) -> None:
    media = lies_at(running, CONTENT)
    await fetched_messages(running, file(media))
    second = {
        "wrong key": with_key(media, WRONG),
        "expired": {**media, "encrypt_query_param": "expired"},
        "elsewhere": {**media, "full_url": "http://192.0.2.1/x"},
        "no address": None,
    }[fault]
    await injected(running, file(second))
    rows = Attachment.objects.filter(state="stored", md5=aes.md5_hex(CONTENT))
    await until(lambda: rows.count() == 2, "both")
    first, copy = [row async for row in rows.order_by("message")]
    assert first.stored_name != copy.stored_name
    assert bytes_of(copy.stored_name) == CONTENT
    assert (copy.error, copy.file_name, copy.size) == ("", "invoice.pdf", len(CONTENT))


async def test_a_copy_that_failed_first_is_opened_by_the_one_that_comes_later(
    running: Running,
) -> None:
    await fetched_messages(running, file(with_key(lies_at(running, CONTENT), WRONG)))
    assert (await Attachment.objects.aget()).error == "wrong_key"
    await injected(running, file(lies_at(running, CONTENT)))
    stored = Attachment.objects.filter(state="stored")
    await until(lambda: stored.count() == 2, "both")


async def test_a_copy_never_comes_from_another_conversation(running: Running) -> None:
    """To know a file's md5 gives no right to it."""
    await fetched_messages(running, file(lies_at(running, CONTENT)))
    bad = file(with_key(lies_at(running, b"something else"), WRONG))
    await injected(running, bad, sender="zhang@im.wechat")
    failed = Attachment.objects.filter(state="failed", error="wrong_key")
    await until(failed.first, "it stays lost")
    assert await Conversation.objects.acount() == 2
    # Another length is another file, in the same conversation too.
    await injected(running, {**bad, "file_item": {**bad["file_item"], "len": "3"}})
    await until(lambda: failed.count() == 2, "and this one")
