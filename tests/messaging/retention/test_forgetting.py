"""Forgetting a person: no trace is left, a replay brings nothing back, a new message does."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import presence, undo_notes, work
from messaging.delivering import outbox
from messaging.folder_sync.store_file import StoredRow
from messaging.folder_sync.store_follower import _without_forgotten
from messaging.models import (
    Attachment,
    Contact,
    Conversation,
    Draft,
    EventCode,
    ForgettingKey,
    Forgotten,
    Message,
    MessageStatus,
    ParkedReply,
    RawAnswer,
    Removal,
    SendAttempt,
    SweepPosition,
    Upload,
)
from messaging.receiving import inbound
from messaging.replying import services
from messaging.replying.notes import write_note
from messaging.retention import forgetting
from messaging.retention.forgetting import SendingNow, UnknownPerson, forget
from sessions_app.database.encryption import decrypt_bytes, encrypt_bytes
from sessions_app.models import Context, Session
from sessions_app.monitoring.traces import WAY_LOGGER
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import answer, make_session, receive, text_message
from tests.replies import send_reply
from weilink_site import key_rotation

LINA, BO = "lina@im.wechat", "bo@im.wechat"
MARK = "Xiangjiao"
"""In all that is written by or about Lina here."""


def written(seconds: float = 0.0) -> int:
    """WeChat's time of a message, so many seconds from now."""
    return int((timezone.now() + timedelta(seconds=seconds)).timestamp() * 1000)


@pytest.fixture
def message() -> dict[str, Any]:
    picture = {
        "type": 2,
        "image_item": {"media": {"encrypt_query_param": "x"}, "file_name": f"{MARK}.png"},
    }
    wire = text_message(f"{MARK} one", create_time_ms=written(-60))
    wire["item_list"].append(picture)
    return wire


@pytest.fixture
def shop(cast: Cast, message: dict[str, Any], settings: Any, tmp_path: Path) -> Session:
    """Two teams know Lina, and have written all that can be written about her."""
    settings.MEDIA_ROOT = tmp_path / "media"
    session, other = (
        make_session("Shop A", team=cast.team),
        make_session("Shop B", team=cast.other_team),
    )
    receive(session, message)
    receive(session, text_message("from Bo", sender=BO))
    receive(other, text_message(f"{MARK} elsewhere", create_time_ms=written(-50)))
    here = Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)
    name = default_storage.save("ab/picture", ContentFile(b"bytes"))
    Attachment.objects.update(stored_name=name, state="stored", stored_bytes=5)
    services.rename_contact(
        contact=here.contact, team_id=cast.team.pk, name=f"{MARK} Li", user=None
    )
    services.write_contact_note(
        contact=here.contact, team_id=cast.team.pk, note=f"{MARK} note", seen="", user=cast.agent
    )
    write_note(user=cast.agent, conversation=here, text=f"{MARK} for colleagues", draft_key="n1")
    drafts.save_draft(
        user=cast.agent, conversation=here, kind="reply", text=f"{MARK} draft", key="d1", number=0
    )
    upload = default_storage.save("ab/draft", ContentFile(b"draft"))
    Upload.objects.create(
        owner=cast.agent, kind="file", file_name=f"{MARK}.pdf", stored_name=upload,
        draft=Draft.objects.get(),
    )  # fmt: skip
    ParkedReply.objects.create(
        conversation=here, by=cast.agent, text=f"{MARK} later", expires_at=timezone.now()
    )
    action = undo_notes.begin(user=cast.agent, code=EventCode.LABELLED)
    work.label(ids=[here.pk], add=[f"{MARK[:4]}-free"], remove=[], user=cast.agent, action=action)
    reply = send_reply(user=cast.agent, conversation=here, text=f"{MARK} reply", draft_key="1")
    SendAttempt.objects.create(message=reply, client_id="client-1")
    Message.objects.filter(pk=reply.pk).update(
        status="sent", wire_id="777", client_id="client-1", dedupe_key=f"out:{reply.pk}"
    )
    RawAnswer.objects.create(
        session=session, reason="odd", digest="1", encrypted_body=encrypt_bytes(LINA.encode())
    )
    RawAnswer.objects.create(
        session=session, reason="odd", digest="2", encrypted_body=encrypt_bytes(BO.encode())
    )
    return session


def _everything() -> Iterator[str]:
    """Each value of each row of each table, encrypted ones decrypted."""
    for model in apps.get_models(include_auto_created=True):
        names = [field.attname for field in model._meta.concrete_fields]
        for row in model._base_manager.values_list(*names):
            for name, value in zip(names, row, strict=True):
                yield f"{model.__name__}.{name}={_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return decrypt_bytes(value).decode("utf-8", "replace") if value else ""
    return json.dumps(value, default=str, ensure_ascii=False)


def _traces_of(*words: str) -> list[str]:
    return [one for one in _everything() if any(word in one for word in words)]


@pytest.mark.django_db
def test_no_trace_is_left_in_any_table_or_file(shop: Session, cast: Cast) -> None:
    assert len(_traces_of(LINA, MARK)) > 15
    LogEntry.objects.log_actions(
        cast.administrator.pk, [Contact.objects.get(user_id=LINA).team_contacts.get()], 2
    )
    report = forget(LINA)
    assert (report.conversations, report.is_done) == (2, True)
    assert report.messages > 3
    # A label is the team's own word, and not about one person.
    assert _traces_of(LINA, MARK) == []
    assert not default_storage.exists("ab/picture")
    assert not default_storage.exists("ab/draft")
    assert [one.user_id for one in Contact.objects.all()] == [BO]
    assert RawAnswer.objects.count() == 1
    assert SweepPosition.objects.count() == 0


@pytest.mark.django_db
def test_a_replay_brings_nothing_back(shop: Session, message: dict[str, Any]) -> None:
    forget(LINA)
    before = Forgotten.objects.count()
    assert receive(shop, message, cursor="c9") == 0
    # The same id with a later time, and an older message that was never here.
    assert receive(shop, {**message, "create_time_ms": written(60)}, cursor="c9") == 0
    assert receive(shop, text_message("older", create_time_ms=written(-90)), cursor="c9") == 0
    recall = {**message, "delete_time_ms": written()}
    assert receive(shop, recall, cursor="c9") == 0
    assert not Contact.objects.filter(user_id=LINA).exists()
    assert not Context.objects.filter(user_id=LINA).exists()
    assert Forgotten.objects.count() == before
    assert Session.objects.get(pk=shop.pk).cursor == "c9"


@pytest.mark.django_db
@pytest.mark.parametrize("known", [{"message_id": 777}, {"client_id": "client-1"}])
def test_the_echo_of_a_reply_brings_nothing_back(shop: Session, known: dict[str, Any]) -> None:
    forget(LINA)
    echo = text_message(
        f"{MARK} reply", sender="bot@im.bot", to_user_id=LINA, message_type=2,
        create_time_ms=written(60), **known,
    )  # fmt: skip
    assert receive(shop, echo) == 0
    assert _traces_of(LINA) == []


@pytest.mark.django_db
def test_a_message_without_a_time_is_known_by_its_content(shop: Session) -> None:
    odd = text_message("no id, no time", create_time_ms=None, message_id=None, client_id="c-1")
    assert receive(shop, odd) == 1
    forget(LINA)
    assert receive(shop, odd) == 0


@pytest.mark.django_db
def test_who_writes_later_is_a_new_person(shop: Session, cast: Cast) -> None:
    number = Contact.objects.get(user_id=LINA).number
    forget(LINA)
    assert receive(shop, text_message("hello again", create_time_ms=written(1))) == 1
    conversation = Conversation.objects.get(contact__user_id=LINA)
    assert conversation.contact.number > number
    assert conversation.contact_words.name == ""
    assert [one.text for one in conversation.messages.all()] == ["hello again"]
    # And can be forgotten like anybody else.
    assert forget(LINA).messages == 1
    assert _traces_of(LINA) == []


@pytest.mark.django_db
def test_others_are_stored_as_before(shop: Session) -> None:
    forget(LINA)
    assert receive(shop, text_message("still me", sender=BO, create_time_ms=written(-90))) == 1


@pytest.mark.django_db
def test_the_sdks_history_brings_nothing_back(shop: Session) -> None:
    def row(user_id: str, at_ms: int) -> StoredRow:
        return StoredRow(1, shop.bot_id, user_id, True, 1, "hi", at_ms, {})

    forget(LINA)
    rows = [row(LINA, written(-90)), row(BO, written(-90)), row(LINA, written(5))]
    assert _without_forgotten(rows) == rows[1:]


@pytest.mark.django_db
def test_a_waiting_reply_is_not_sent_and_one_on_its_way_is_waited_for(
    shop: Session, cast: Cast
) -> None:
    here = Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)
    waiting = send_reply(user=cast.agent, conversation=here, text="queued", draft_key="2")
    leases.register("w1")
    Message.objects.filter(pk=waiting.pk).update(status=MessageStatus.SENDING)
    with pytest.raises(SendingNow):
        forget(LINA)
    assert Contact.objects.filter(user_id=LINA).exists()
    Message.objects.filter(pk=waiting.pk).update(status=MessageStatus.QUEUED)
    forget(LINA)
    assert outbox.claim_next("w1", limit=5) == []


@pytest.mark.django_db
def test_nobody_is_not_forgotten(shop: Session) -> None:
    with pytest.raises(UnknownPerson):
        forget("nobody@im.wechat")
    assert not ForgettingKey.objects.exists()


@pytest.mark.django_db
def test_what_was_interrupted_is_finished_by_the_worker(
    shop: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    report = forget(LINA, most_steps=1)
    assert (report.messages, report.is_done) == (2, False)
    # At once nothing names her but the messages that are left, and her id is free.
    assert not Contact.objects.filter(user_id=LINA).exists()
    assert not Context.objects.filter(user_id=LINA).exists()
    assert receive(shop, text_message("hello again", create_time_ms=written(1))) == 1
    while forgetting.go_on():
        pass
    assert _traces_of(MARK) == []
    assert [one.text for one in Message.objects.filter(conversation__contact__user_id=LINA)] == [
        "hello again"
    ]


@pytest.mark.django_db
def test_open_pages_drop_the_rows(shop: Session, cast: Cast) -> None:
    here = Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)
    client = Client()
    client.force_login(cast.agent)
    presence.arrive(user=cast.agent, conversation=here, types=True)
    since = f"team:{cast.team.pk}:{Conversation.objects.get(pk=here.pk).version}"
    forget(LINA)
    page = client.get(f"/inbox/changes/?since={since}&list=&open={here.pk}").content.decode()
    assert f'<li id="conversation-{here.pk}" data-removed></li>' in page
    assert f'data-gone="{here.pk}"' in page
    assert Removal.objects.filter(conversation_key=here.pk, team=cast.team).exists()
    assert presence.present_in([here]) == {}


@pytest.mark.django_db
def test_owned_accounts_are_named_and_ids_of_deleted_ones_go(shop: Session) -> None:
    Session.objects.filter(pk=shop.pk).update(owner_id=LINA)
    gone = make_session("Old")
    Session.objects.filter(pk=gone.pk).update(owner_id=LINA, deleted_at=timezone.now())
    assert forget(LINA).owned == ["Shop A"]
    gone.refresh_from_db()
    assert gone.owner_id == ""


@pytest.mark.django_db
def test_a_new_credential_key_changes_no_hash(shop: Session, settings: Any) -> None:
    from cryptography.fernet import Fernet

    forget(LINA)
    former = ForgettingKey.objects.get().encrypted_key
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    key_rotation.rotate()
    renewed = ForgettingKey.objects.get().encrypted_key
    assert renewed != former
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]  # the former key is dropped
    assert ForgettingKey.objects.get().encrypted_key == renewed
    assert receive(shop, text_message("older", create_time_ms=written(-90))) == 0


@pytest.mark.django_db
def test_an_unreadable_key_is_said_and_stops_nothing(
    shop: Session, caplog: pytest.LogCaptureFixture
) -> None:
    forget(LINA)
    ForgettingKey.objects.update(encrypted_key="a1:" + "A" * 80)
    with caplog.at_level(logging.ERROR):
        assert receive(shop, text_message("hi", sender=BO)) == 1
        assert receive(shop, text_message("hi", sender=BO)) == 1
    assert len([one for one in caplog.records if "forgotten people" in one.message]) == 1


@pytest.mark.django_db
def test_logs_hold_neither_ids_of_people_nor_their_words(
    shop: Session,
    cast: Cast,
    message: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """From a message over a reply to the end: each record with all that it brings."""
    for name in (WAY_LOGGER, "messaging", "sessions_app"):
        caplog.set_level(logging.DEBUG, logger=name)
    with django_capture_on_commit_callbacks(execute=True):
        receive(shop, text_message(f"{MARK} two", create_time_ms=written(-5)))
        here = Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)
        send_reply(user=cast.agent, conversation=here, text=f"{MARK} three", draft_key="3")
        outbox.claim_next("w1", limit=5)
        forget(LINA)
        receive(shop, message)
    said = "\n".join(f"{one.getMessage()} {one.__dict__}" for one in caplog.records)
    assert "message stored" in said
    assert MARK not in said
    assert LINA not in said


@pytest.mark.django_db
def test_storing_takes_one_statement_more_after_somebody_was_forgotten(shop: Session) -> None:
    from django.test.utils import CaptureQueriesContext

    def statements() -> int:
        wire = text_message("x", sender=BO)
        with CaptureQueriesContext(connection) as captured:
            inbound.store([answer(shop, [wire], cursor="c")])
        return len(captured)

    statements()
    before = statements()
    forget(LINA)
    assert statements() == before + 1
