"""Files of ours: uploaded encrypted and streamed, in order, once, and cancelled in time."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.formats import date_format

from messaging.models import Attachment, Conversation, Message, Upload
from messaging.replying import sending, services
from messaging.replying.sending import Wish
from messaging.replying.states import state_of
from messaging.transfers import uploading, uploads
from messaging.transfers.replies import Wanted
from sessions_app.models import Context, Session, User
from sessions_app.team_settings.limits import team_settings
from tests.conftest import Running, in_thread, until
from tests.messaging.media import samples
from tests.messaging.media.rows import LINA

UPLOAD = "/c2c/upload*"
ASK = "/ilink/bot/getuploadurl"
NAMES = ["发票 2026.pdf", "😀.zip", 'she "said".txt', "two\nlines.doc", "长" * 83 + ".pdf.x"]


async def opened(running: Running) -> Conversation:
    """Li Na wrote to Shop A."""
    session = await running.scan("Shop A")
    running.control.add_person("Li Na", LINA)
    running.control.write(session.bot_id, LINA, "hello")
    found: Conversation = await until(Conversation.objects.first, "the conversation")
    return found


def agent() -> User:
    return User.objects.get_or_create(username="wei")[0]


def brought(content: bytes, name: str) -> Wanted:
    return Wanted(uploads.bring_pieces(owner=agent(), pieces=[content], file_name=name).pk)


def reply(conversation: Conversation, text: str = "", *files: tuple[bytes, str]) -> list[Message]:
    wish = Wish(text, draft_key="", files=tuple(brought(*file) for file in files))
    return sending.send(user=agent(), conversation=conversation, wish=wish, limits=team_settings())


async def sent(count: int) -> None:
    rows = Message.objects.filter(direction="out", status="sent")
    await until(lambda: rows.count() == count, f"{count} sent", within_s=30)


def bubbles(running: Running) -> list[dict[str, Any]]:
    chat = running.control.chat(running.bots["Shop A"], LINA)
    return [one for one in chat["bubbles"] if one["from_bot"]]


async def test_every_kind_arrives_byte_for_byte_and_in_order(running: Running) -> None:
    conversation = await opened(running)
    files = [
        (samples.picture(kind="JPEG"), "a.jpg"),
        (samples.MP4, "b.mp4"),
        (samples.silk(1), "c.silk"),
        (b"%PDF-1.4\n" + bytes(700_000), "d.pdf"),
        (b"x", "e.txt"),
    ]
    await in_thread(reply)(conversation, "看图", *files)
    await sent(6)
    shown = bubbles(running)
    assert [one["kind"] for one in shown] == ["text", "image", "video", "file", "file", "file"]
    assert [one["file_name"] for one in shown] == ["", "", "", "c.silk", "d.pdf", "e.txt"]
    assert not any(one["broken"] for one in shown)
    for (content, _name), bubble in zip(files, shown[1:], strict=True):
        assert running.control.media(bubble["media"]) == content
    assert running.control.violations()["counts"] == {}
    assert (await Context.objects.aget()).replies_used == 6


async def test_names_travel_as_they_are(running: Running) -> None:
    conversation = await opened(running)
    assert max(len(name.encode()) for name in NAMES) == 255
    await in_thread(reply)(conversation, "", *((b"content", name) for name in NAMES))
    await sent(len(NAMES))
    assert [one["file_name"] for one in bubbles(running)] == NAMES


@pytest.mark.parametrize("address", ["full", "param", "both"])
async def test_both_forms_of_an_upload_address_are_followed(running: Running, address: str) -> None:
    conversation = await opened(running)
    running.control.switches(upload_address=address)
    await in_thread(reply)(conversation, "", (b"hello", "a.txt"))
    await sent(1)


async def test_a_refused_upload_fails_its_message_and_holds_the_next(running: Running) -> None:
    conversation = await opened(running)
    running.control.add_fault("status", path=UPLOAD, status=413)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"), (b"two", "2.txt"))
    first = await until(Message.objects.filter(status="failed").first, "failed")
    assert (first.error_code, first.holds_queue) == ("upload_refused", True)
    second = await Message.objects.filter(direction="out").alast()
    assert second is not None
    assert second.status == "queued"
    assert bubbles(running) == []
    assert (await Context.objects.aget()).replies_used == 1

    await in_thread(services.retry_message)(message=first, user=None)
    await sent(2)
    assert [one["file_name"] for one in bubbles(running)] == ["1.txt", "2.txt"]


async def test_an_upload_that_breaks_is_tried_again_and_given_up_in_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "RETRY_S", (0, 0))
    running.worker.media._cdn._sleep = lambda _seconds: asyncio.sleep(0)
    conversation = await opened(running)
    running.control.add_fault("reset", path=UPLOAD, times=None)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    failed = await until(Message.objects.filter(status="failed").first, "failed", within_s=30)
    assert failed.error_code == "upload_failed"
    assert (await Context.objects.aget()).replies_used == 0

    running.control.clear_faults()
    await in_thread(services.retry_message)(message=failed, user=None)
    await sent(1)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        (UPLOAD, (429,)),
        (UPLOAD, (404, 408)),
        (UPLOAD, (403, 425)),
        (ASK, (429,)),
        (ASK, (503, 404)),
    ],
)
async def test_a_busy_or_late_server_fails_no_reply_and_sends_nothing_twice(
    running: Running, path: str, statuses: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hits the first of two files; both arrive once, in their order."""
    monkeypatch.setattr(uploading, "RETRY_S", (0,) * 6)
    running.worker.media._cdn._sleep = lambda _seconds: asyncio.sleep(0)
    conversation = await opened(running)
    for status in reversed(statuses):
        running.control.add_fault("status", path=path, status=status)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"), (b"two", "2.txt"))
    await sent(2)
    assert [one["file_name"] for one in bubbles(running)] == ["1.txt", "2.txt"]
    assert (await Context.objects.aget()).replies_used == 2


@pytest.mark.parametrize("path", [UPLOAD, ASK])
async def test_while_the_server_is_busy_the_bubble_says_so(running: Running, path: str) -> None:
    """WeChat's own word on when to come again is kept, up to ten minutes."""
    conversation = await opened(running)
    running.control.add_fault("status", path=path, status=429, retry_after="7200")
    before = timezone.now()
    [message] = await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    waiting = Message.objects.filter(pk=message.pk, error_code="upload_busy")
    row: Message = await until(waiting.first, "it waits")
    assert row.status == "queued"
    assert row.next_try_at is not None
    assert timedelta(minutes=9) < row.next_try_at - before < timedelta(minutes=11)
    at = date_format(timezone.localtime(row.next_try_at), "H:i:s")
    words = state_of(row, contact_name="Li Na").words
    assert words == f"not sent yet: WeChat's server is busy; next try at {at}"
    await in_thread(services.cancel_message)(message=row, user=None)


async def test_an_upload_that_is_never_taken_is_given_up_with_wechats_words(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 120 < sum(uploading.RETRY_S) < 1_200
    monkeypatch.setattr(uploading, "RETRY_S", (0, 0))
    conversation = await opened(running)
    running.control.add_fault("status", path=UPLOAD, status=403, times=None)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    failed = await until(Message.objects.filter(status="failed").first, "failed")
    assert (failed.error_code, "403" in failed.error_detail) == ("upload_refused", True)
    assert running.control.faults()[0]["hits"] == 3
    assert (await Context.objects.aget()).replies_used == 0


async def test_a_retry_uploads_again_only_if_it_must(running: Running) -> None:
    conversation = await opened(running)
    running.control.add_fault("ret", path="/ilink/bot/sendmessage", ret=-2)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    failed = await until(Message.objects.filter(status="failed").first, "failed")
    await in_thread(services.retry_message)(message=failed, user=None)
    await sent(1)
    assert running.control.requests()["/c2c/upload"] == 1


async def test_a_new_binding_uploads_anew(running: Running) -> None:
    conversation = await opened(running)
    running.control.add_fault("ret", path="/ilink/bot/sendmessage", ret=-2)
    await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    failed = await until(Message.objects.filter(status="failed").first, "failed")
    await running.scan("Shop A")
    rebound = await until(Session.objects.filter(generation=2, state="connected").first, "rebound")
    running.control.write(rebound.bot_id, LINA, "again")
    await until(lambda: Message.objects.filter(text="again").exists(), "the newer token")
    await in_thread(services.retry_message)(message=failed, user=None)
    await sent(1)
    assert running.control.requests()["/c2c/upload"] == 2


async def test_a_cancelled_file_never_leaves(running: Running) -> None:
    conversation = await opened(running)
    running.control.add_fault("slow", path=UPLOAD, delay_s=3.0)
    [message] = await in_thread(reply)(conversation, "", (b"one", "1.txt"))
    begun = Attachment.objects.exclude(claimed_by="")
    await until(begun.exists, "the upload has begun")
    await in_thread(services.cancel_message)(message=message, user=None)
    await until(lambda: not Attachment.objects.exclude(claimed_by="").exists(), "let go")
    assert (await Message.objects.aget(pk=message.pk)).status == "cancelled"
    assert bubbles(running) == []
    assert not await Message.objects.filter(status="sent").aexists()


async def test_a_large_file_goes_whole(running: Running, tmp_path: Path) -> None:
    """20 MB through the simulator, which checks size, padding and md5."""
    conversation = await opened(running)
    content = bytes(range(256)) * 80_000
    await in_thread(reply)(conversation, "", (content, "large.bin"))
    await sent(1)
    assert running.control.media(bubbles(running)[0]["media"]) == content
    assert not await Upload.objects.aexists()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_megabytes_come_and_go_byte_for_byte(running: Running) -> None:
    conversation = await opened(running)
    content = bytes(range(256)) * (100 * 4096)
    bot = running.bots["Shop A"]
    running.control.write(bot, LINA, kind="file", content=content, file_name="100 MB.bin")
    stored = Attachment.objects.filter(state="stored", size=len(content))
    row: Attachment = await until(stored.first, "it came", within_s=60)
    with default_storage.open(row.stored_name) as file:
        assert file.read() == content
    await in_thread(reply)(conversation, "", (content, "back.bin"))
    await sent(1)
    assert running.control.media(bubbles(running)[0]["media"]) == content
