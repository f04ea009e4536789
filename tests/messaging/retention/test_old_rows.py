"""Raw answers, files and rows that nobody needs go by age, whatever else is kept."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from messaging.media import reasons
from messaging.models import (
    Attachment,
    Conversation,
    Message,
    PostedKey,
    RawAnswer,
    SendAttempt,
)
from messaging.retention.sweep import Sweep
from sessions_app.board.queries import unreadable_answers
from sessions_app.database.encryption import encrypt_bytes
from sessions_app.login import attempts
from sessions_app.models import (
    LoginAttempt,
    LoginState,
    Session,
    SessionEvent,
    SignedInBrowser,
    ThrottleCount,
)
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast
from tests.messaging.builders import receive, text_message
from tests.messaging.retention.ages import OLD, age, sweep, texts
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


def test_raw_answers_are_emptied_and_their_messages_stay(old_shop: Session) -> None:
    picture = text_message("old")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(old_shop, picture)
    Attachment.objects.update(state="failed")
    RawAnswer.objects.create(
        session=old_shop, reason="odd", digest="1", encrypted_body=encrypt_bytes(b"x"),
        received_at=timezone.now() - timedelta(days=15),
    )  # fmt: skip
    age(15)
    receive(old_shop, text_message("new"))
    assert Attachment.objects.get().encrypted_item
    sweep()
    old, new = Message.objects.order_by("id")
    assert bytes(old.encrypted_raw) == b""
    assert bytes(new.encrypted_raw) != b""
    assert old.text == "old"
    assert Attachment.objects.get().encrypted_item == ""
    assert bytes(RawAnswer.objects.get().encrypted_body) == b""
    assert unreadable_answers(old_shop) == (0, None)
    # The next round goes on where this one ended.
    age(15)
    sweep()
    assert bytes(Message.objects.get(pk=new.pk).encrypted_raw) == b""


def test_a_file_that_is_still_awaited_keeps_its_key(old_shop: Session) -> None:
    picture = text_message("old")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(old_shop, picture)
    age(15)
    sweep()
    assert Attachment.objects.get().encrypted_item


def test_old_files_go_and_their_messages_stay(
    old_shop: Session, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    change_settings(user=None, wanted={"media_days": 10})
    picture = text_message("look")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(old_shop, picture)
    name = default_storage.save("ab/1", ContentFile(b"x"))
    at = timezone.now() - timedelta(days=11)
    Attachment.objects.update(stored_name=name, state="stored", stored_bytes=1, stored_at=at)
    sweep()
    row = Attachment.objects.get()
    assert (row.state, row.error, row.stored_name) == ("failed", "too_old", "")
    assert row.encrypted_item == ""  # nobody fetches it again
    assert reasons.sentence("too_old") != "too_old"
    assert not default_storage.exists("ab/1")
    assert texts() == ["look"]


# What nobody swept before


def test_what_nobody_needs_any_more_is_swept(old_shop: Session, cast: Cast) -> None:
    now, long_ago = timezone.now(), timezone.now() - timedelta(days=500)
    PostedKey.objects.create(owner=cast.agent, key="old", digest="d", created_at=long_ago)
    PostedKey.objects.create(owner=cast.agent, key="new", digest="d")
    SessionEvent.objects.all().delete()
    SessionEvent.objects.create(session=old_shop, kind="stray", at=long_ago)
    SessionEvent.objects.create(session=old_shop, kind="stray", at=now)
    SignedInBrowser.objects.create(session_key="old", expire_date=long_ago)
    SignedInBrowser.objects.create(session_key="new", expire_date=now + OLD)
    ThrottleCount.objects.create(name="old", full_at=1.0, taken=1)
    for number, state in enumerate((LoginState.CONFIRMED, LoginState.OTHER_ACCOUNT)):
        login = attempts.start_login(user=None, session_name=f"New {number}", team=cast.team)
        LoginAttempt.objects.filter(pk=login.pk).update(
            status=state, finished_at=long_ago, encrypted_result="a" * number
        )
    sweep()
    assert [one.key for one in PostedKey.objects.all()] == ["new"]
    assert [one.at for one in SessionEvent.objects.all()] == [now]
    assert [one.session_key for one in SignedInBrowser.objects.all()] == ["new"]
    assert not ThrottleCount.objects.exists()
    # Somebody must still decide what the other account is.
    assert [one.status for one in LoginAttempt.objects.all()] == [LoginState.OTHER_ACCOUNT]


def test_old_attempts_go_but_those_of_waiting_replies(old_shop: Session, cast: Cast) -> None:
    receive(old_shop, text_message("hi"))
    conversation = Conversation.objects.get()
    for status, holds in (("sent", False), ("failed", True)):
        reply = send_reply(user=cast.agent, conversation=conversation, text="r", draft_key=status)
        SendAttempt.objects.create(
            message=reply, client_id=status, started_at=timezone.now() - timedelta(days=100)
        )
        Message.objects.filter(pk=reply.pk).update(status=status, holds_queue=holds)
    sweep()
    assert [one.client_id for one in SendAttempt.objects.all()] == ["failed"]


def test_a_job_that_fails_holds_up_no_other(
    old_shop: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.retention import old_rows

    def broken(_before: object) -> bool:
        raise OSError("disk")

    monkeypatch.setattr(old_rows, "empty_raw_messages", broken)
    PostedKey.objects.create(
        owner=cast.agent, key="old", digest="d", created_at=timezone.now() - timedelta(days=50)
    )
    one = Sweep()
    with pytest.raises(OSError, match="disk"):
        one.step()
    while one.step():
        pass
    assert not PostedKey.objects.exists()
