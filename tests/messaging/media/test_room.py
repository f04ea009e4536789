"""The limit of all files together: the oldest make room, what is still needed never does."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from messaging.media import storing
from messaging.models import Attachment, Message, Upload
from messaging.transfers import downloads, retention
from sessions_app.database.encryption import encrypt
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db


def keep(tmp_path: Path, message: Message, number: int, **columns: object) -> Attachment:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    return Attachment.objects.create(
        message=message, position=number, kind="file", state="stored", stored_bytes=100,
        stored_name=storing.take_in(path), encrypted_item="x",
        stored_at=timezone.now() + timedelta(minutes=number), **columns,
    )  # fmt: skip


def test_the_oldest_are_cleared_until_the_rest_fits(cast: Cast, tmp_path: Path) -> None:
    receive(make_session(), text_message("files"))
    rows = [keep(tmp_path, Message.objects.get(), number) for number in range(5)]
    assert retention.clear_oldest(most_bytes=250) == 3
    left = list(Attachment.objects.order_by("position"))
    assert [row.state for row in left] == ["failed"] * 3 + ["stored"] * 2
    assert {row.error for row in left[:3]} == {"cleared"}
    assert [default_storage.exists(row.stored_name) for row in rows] == [False] * 3 + [True] * 2
    assert retention.bytes_kept() == 200
    assert retention.clear_oldest(most_bytes=250) == 0


def test_what_waits_to_be_sent_or_decided_is_never_cleared(cast: Cast, tmp_path: Path) -> None:
    receive(make_session(), text_message("files"))
    message = Message.objects.get()
    keep(tmp_path, message, 0)
    for columns in ({"status": "queued"}, {"status": "sending"}, {"holds_queue": True}):
        Message.objects.update(status="received", holds_queue=False)
        Message.objects.update(**columns)
        assert retention.clear_oldest(most_bytes=0) == 0
    Message.objects.update(status="sent", holds_queue=False)
    assert retention.clear_oldest(most_bytes=0) == 1


def test_what_nobody_sent_ends_after_a_day(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    name = storing.take_in(path)
    row = Upload.objects.create(owner=cast.agent, kind="file", stored_name=name, stored_bytes=1)
    assert retention.end_uploads(row.created_at) == 0
    assert retention.end_uploads(row.created_at + timedelta(seconds=1)) == 1
    assert not default_storage.exists(name)
    assert not Upload.objects.exists()


def test_sessions_take_turns_however_much_one_of_them_has(cast: Cast) -> None:
    leases.register("w1")
    for name, count in (("Busy", 30), ("Quiet", 1)):
        session = make_session(name)
        receive(session, text_message("files", sender=f"{name}@im.wechat"))
        message = Message.objects.get(session=session)
        Attachment.objects.bulk_create(
            Attachment(message=message, position=n, kind="file", encrypted_item=encrypt("{}"))
            for n in range(count)
        )
    claims = downloads.claim("w1", running=Counter(), room=4, per_session=3)
    assert [Message.objects.get(pk=one.message_id).session.name for one in claims[:2]] == [
        "Busy",
        "Quiet",
    ]
    assert len(claims) == 4
    full = Counter({claims[0].session_id: 3})
    assert downloads.claim("w1", running=full, room=4, per_session=3) == []
    assert downloads.claim("nobody", running=Counter(), room=4, per_session=3) == []
