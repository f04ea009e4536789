"""What people send is here soon after its message, whatever its kind, key or address."""

import io
import re
import wave
from typing import Any

import pytest

from messaging.models import Attachment, Message
from tests.conftest import Running, until
from tests.messaging.media import samples
from tests.messaging.media.rows import LINA, Sent, bytes_of, fetched

NAMES = [
    "发票 2026.pdf",
    "😀🎉.zip",
    "she said \"hi\" & 'bye'.txt",
    "two\nlines\r\n.doc",
    "长" * 83 + ".pdf.x",  # 255 bytes
]


CONTENTS = {
    "image": samples.picture(),
    "voice": samples.VOICE,
    "video": samples.MP4,
    "file": bytes(range(256)) * 999,
}


async def test_every_kind_comes_with_every_key_and_address(running: Running) -> None:
    running.control.switches(image_aeskey=False)
    files = [
        Sent(kind, content, {"key_encoding": encoding, "address": address})
        for kind, content in CONTENTS.items()
        for encoding in ("hex", "base64_raw", "base64_hex")
        for address in ("full_url", "param", "both")
    ]
    for one, row in zip(files, await fetched(running, *files), strict=True):
        assert (row.kind, row.state, row.error) == (one.kind, "stored", ""), one.details
        assert row.size == len(one.content)
        assert bytes_of(row.stored_name) == one.content


async def test_the_smallest_files_and_unencrypted_pictures_come(running: Running) -> None:
    files = [Sent("file", data, {"file_name": "small.txt"}) for data in (b"", b"x", b"x" * 16)]
    files.append(Sent("image", samples.picture(), {"plain": True}))
    for one, row in zip(files, await fetched(running, *files), strict=True):
        assert (row.state, row.size) == ("stored", len(one.content))
        assert bytes_of(row.stored_name) == one.content


async def test_names_stay_as_they_were_written(running: Running) -> None:
    assert max(len(name.encode()) for name in NAMES) == 255
    files = [Sent("file", b"content", {"file_name": name}) for name in NAMES]
    for name, row in zip(NAMES, await fetched(running, *files), strict=True):
        assert row.file_name == name
        assert re.fullmatch("[0-9a-f]{2}/[0-9a-f]{38}", row.stored_name)


async def test_a_picture_gets_a_thumbnail_once_and_stands_upright(running: Running) -> None:
    [row] = await fetched(running, Sent("image", samples.turned_picture()))
    assert (row.width, row.height) == (80, 120)
    assert bytes_of(row.thumb_name)[8:12] == b"WEBP"


async def test_a_voice_becomes_a_wav_with_its_length_and_loudness(running: Running) -> None:
    voice = Sent("voice", samples.silk(3.0), {"text": "我已经等了三天了"})
    [row] = await fetched(running, voice)
    with wave.open(io.BytesIO(bytes_of(row.sound_name))) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (24_000, 1)
        assert sound.getnframes() == pytest.approx(72_000, abs=1_000)
    assert row.duration_ms == pytest.approx(3_000, abs=50)
    assert row.transcript == "我已经等了三天了"
    assert row.peaks[0] < row.peaks[-4]


async def test_all_items_of_a_message_and_its_poster_come(running: Running) -> None:
    session = await running.scan("Shop A")
    put = running.control.wechat.cdn.put
    files = {"a": samples.picture(), "b": b"file", "v": samples.MP4, "t": samples.picture()}
    parts = {name: put(data) for name, data in files.items()}

    def media(name: str) -> dict[str, Any]:
        return {"encrypt_query_param": parts[name]}

    message = {
        "message_id": 7_500_000_000_000_000_777, "from_user_id": LINA, "message_type": 1,
        "context_token": "t1",
        "item_list": [
            {"type": 1, "text_item": {"text": "all of it"}},
            {"type": 2, "image_item": {"media": media("a")}},
            {"type": 4, "file_item": {"media": media("b"), "file_name": "b.txt"}},
            {"type": 5, "video_item": {"media": media("v"), "thumb_media": media("t")}},
        ],
    }  # fmt: skip
    running.control.inject(session.bot_id, [message])
    await until(lambda: Attachment.objects.filter(state="stored").count() == 3, "all three")
    posters = Attachment.objects.filter(kind="video").exclude(thumb_name="")
    video = await until(posters.first, "the poster")
    assert bytes_of(video.thumb_name)[8:12] == b"WEBP"
    assert (await Message.objects.aget(direction="in")).text == "all of it"
