"""Downloads that break, lie or never end: each is a clear state with a reason, nothing crashes."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.formats import date_format

from messaging.media import showing, storing
from messaging.media.kinds import SILK, UNKNOWN
from messaging.models import Attachment
from messaging.transfers import downloads
from tests.conftest import Running, in_thread, until
from tests.messaging.media import samples
from tests.messaging.media.rows import LINA, Sent, fetched

DOWNLOAD = "/c2c/download*"


async def one_file(running: Running, kind: str, content: bytes, **details: Any) -> None:
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, kind=kind, content=content, **details)


async def settled(code: str, state: str = "failed") -> Attachment:
    rows = Attachment.objects.filter(state=state, error=code)
    found: Attachment = await until(rows.first, f"{state}: {code}")
    return found


@pytest.mark.parametrize("status", [400, 401, 410, 416, 451])
async def test_what_wechat_refuses_for_good_fails_at_once_and_comes_on_demand(
    running: Running, status: int
) -> None:
    running.control.add_fault("status", path=DOWNLOAD, status=status)
    await one_file(running, "file", b"hello", file_name="a.txt")
    row = await settled("gone")
    assert (row.tries, row.stored_bytes) == (0, 0)

    assert await in_thread(downloads.ask_again)(row)
    again = await settled("", "stored")
    assert again.size == 5


@pytest.mark.parametrize("first", [(404, 429), (403, 404), (408, 425), (429, 503), (500, 403)])
async def test_what_comes_late_to_the_cdn_is_waited_for(
    running: Running, first: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "RETRY_S", (0, 0, 0))
    for status in reversed(first):  # the newest rule hits first
        running.control.add_fault("status", path=DOWNLOAD, status=status)
    await one_file(running, "file", b"hello", file_name="a.txt")
    row = await settled("", "stored")
    assert (row.tries, row.size) == (2, 5)


async def test_a_file_that_is_not_there_is_asked_for_over_minutes_and_then_lost(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 120 < sum(downloads.RETRY_S[: downloads.GONE_TRIES - 1]) < 1_200
    running.control.add_fault("status", path=DOWNLOAD, status=404, times=None)
    await one_file(running, "file", b"hello", file_name="a.txt")
    row = await settled("not_there_yet", "remote")
    assert (row.tries, row.next_try_at is None) == (1, False)
    assert showing.shown(row).problem.startswith("WeChat does not give it out yet; next try at ")

    monkeypatch.setattr(downloads, "RETRY_S", (0,) * 9)
    await Attachment.objects.aupdate(next_try_at=None)
    row = await settled("gone")
    assert running.control.faults()[0]["hits"] == downloads.GONE_TRIES
    assert "Ask Li Na to send it again." in showing.shown(row, contact="Li Na").advice


async def test_a_busy_server_is_named_and_asked_again_when_it_says(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.control.add_fault("status", path=DOWNLOAD, status=429, retry_after="1800")
    before = timezone.now()
    await one_file(running, "file", b"hello", file_name="a.txt")
    row = await settled("cdn_busy", "remote")
    assert row.next_try_at is not None
    assert timedelta(seconds=1_790) < row.next_try_at - before < timedelta(seconds=1_900)
    at = date_format(timezone.localtime(row.next_try_at), "H:i:s")
    assert showing.shown(row).problem == f"WeChat's server is busy; next try at {at}"
    with translation.override("zh-hans"):
        assert "微信服务器繁忙" in showing.shown(row).problem


@pytest.mark.parametrize("kind", ["status", "reset", "cut_body", "empty", "html"])
async def test_a_broken_download_is_tried_again_until_it_comes(
    running: Running, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "RETRY_S", (0, 0, 0))
    content = samples.picture()
    running.control.add_fault(kind, path=DOWNLOAD, times=2, status=503 if kind == "status" else 0)
    await one_file(running, "image", content)
    row = await settled("", "stored")
    assert row.tries == 2
    with default_storage.open(row.stored_name) as file:
        assert file.read() == content


async def test_a_server_that_stays_ill_is_given_up_with_its_reason(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "RETRY_S", (0, 0))
    running.control.add_fault("status", path=DOWNLOAD, status=502, times=None)
    await one_file(running, "image", samples.picture())
    assert (await settled("cdn_unavailable")).next_try_at is None
    assert running.control.faults()[0]["hits"] == 3


async def test_a_body_without_end_stops_at_the_limit(running: Running, settings: Any) -> None:
    settings.MEDIA_LIMITS = {"most_file_bytes": 300_000}
    running.control.add_fault("endless", path=DOWNLOAD)
    await one_file(running, "image", samples.picture())
    await settled("too_large")
    assert not list(storing.incoming().iterdir())


async def test_what_says_that_it_is_too_large_is_never_asked_for(
    running: Running, settings: Any
) -> None:
    settings.MEDIA_LIMITS = {"most_file_bytes": 10}
    await one_file(running, "file", b"x" * 11, file_name="eleven.txt")
    await settled("too_large")
    assert "/c2c/download" not in running.control.requests()


async def test_a_wrong_key_is_said(running: Running) -> None:
    session = await running.scan("Shop A")
    param = running.control.wechat.cdn.put(b"\x07" * 64)
    media = {"encrypt_query_param": param, "aes_key": "00" * 16}
    item = {"type": 4, "file_item": {"media": media, "file_name": "a.txt"}}
    message = {"message_id": 7, "from_user_id": LINA, "message_type": 1, "item_list": [item]}
    running.control.inject(session.bot_id, [message])
    rows = Attachment.objects.filter(error="wrong_key")
    row: Attachment = await until(rows.first, "said")
    assert (row.state, row.tries, row.stored_name) == ("remote", 1, "")


async def test_an_address_that_is_not_wechats_is_never_followed(running: Running) -> None:
    session = await running.scan("Shop A")
    media = {"full_url": "http://192.0.2.1/secret"}
    items = [{"type": 2, "image_item": {"media": media}}, {"type": 2, "image_item": {}}]
    message = {"message_id": 8, "from_user_id": LINA, "message_type": 1, "item_list": items}
    running.control.inject(session.bot_id, [message])
    assert (await settled("unsafe_host")).position == 0
    assert (await settled("no_address")).position == 1


PRETENDERS = [
    ("image", samples.HTML, "not_a_picture"),
    ("image", samples.SVG, "not_a_picture"),
    ("image", b"\x89PNG\r\n\x1a\n" + samples.HTML, "not_a_picture"),
    ("image", samples.picture()[:60], "too_little"),
    ("image", samples.picture_bomb(), "too_many_pixels"),
    ("image", b"", "not_a_picture"),
    ("voice", b"\x02#!SILK_V3" + b"garbage" * 99, "not_a_voice"),
    ("voice", samples.HTML, "not_a_voice"),
    ("video", samples.SVG, "not_a_video"),
    ("file", gzip.compress(bytes(50_000_000)), ""),
]


async def test_what_only_pretends_is_kept_as_a_file_and_never_shown(running: Running) -> None:
    rows = await fetched(running, *(Sent(kind, content) for kind, content, _ in PRETENDERS))
    for (_kind, content, error), row in zip(PRETENDERS, rows, strict=True):
        assert (row.state, row.error, row.size) == ("stored", error, len(content))
        assert row.content_type in {UNKNOWN, SILK, "application/gzip"}
        assert (row.thumb_name, row.sound_name) == ("", "")


async def test_a_helper_that_dies_costs_one_preview(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop: Any = running.worker.media._workshop
    monkeypatch.setattr(workshop, "_timeout_s", 0.0)
    await one_file(running, "image", samples.picture())
    await settled("not_readable", "stored")
    monkeypatch.setattr(workshop, "_timeout_s", 30.0)
    bot = running.bots["Shop A"]
    running.control.write(bot, LINA, kind="image", content=samples.picture())
    await settled("", "stored")


async def test_fetching_goes_on_after_a_restart(running: Running, settings: Any) -> None:
    """A file whose worker is gone is fetched by whoever lives."""
    running.control.add_fault("status", path=DOWNLOAD, status=410)
    await one_file(running, "file", b"hello", file_name="a.txt")
    row = await settled("gone")
    lost = {"state": "fetching", "claimed_by": "a worker that is gone", "error": ""}
    await Attachment.objects.filter(pk=row.pk).aupdate(**lost)
    await settled("", "stored")
