"""What is too old goes in small steps; what waits stays; open pages are told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from messaging.composing import drafts
from messaging.media import reasons
from messaging.models import (
    Attachment,
    Contact,
    Conversation,
    Draft,
    Label,
    Message,
    ParkedReply,
    PostedKey,
    RawAnswer,
    Removal,
    SendAttempt,
    Upload,
)
from messaging.replying import services
from messaging.retention import old_messages, positions
from messaging.retention.sweep import Sweep
from sessions_app.database.encryption import encrypt_bytes
from sessions_app.login import attempts
from sessions_app.models import (
    Context,
    LoginAttempt,
    LoginState,
    Session,
    SessionEvent,
    SignedInBrowser,
    ThrottleCount,
)
from sessions_app.team_settings import limits
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

LINA, BO = "lina@im.wechat", "bo@im.wechat"
OLD = timedelta(days=31)


@pytest.fixture(autouse=True)
def keeps_a_month(cast: Cast) -> Iterator[None]:
    limits.forget()
    change_settings(user=None, wanted={"message_days": 30})
    yield
    limits.forget()


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A", team=cast.team)


def sweep() -> int:
    """A whole round. Returns the number of its steps."""
    one, steps = Sweep(), 1
    while one.step():
        steps += 1
    return steps


def age(days: int = 31, **which: Any) -> None:
    """Let these messages, and the conversations that end with them, be so old."""
    at = timezone.now() - timedelta(days=days)
    Message.objects.filter(**which).update(stored_at=at, created_at=at)
    for one in Conversation.objects.all():
        last = one.messages.order_by("-id").first()
        Conversation.objects.filter(pk=one.pk).update(last_at=last.stored_at if last else at)


def texts() -> list[str]:
    return list(Message.objects.order_by("id").values_list("text", flat=True))


# Messages


def test_old_messages_go_with_their_files_and_attempts(
    shop: Session, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = text_message("old picture")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(shop, picture, text_message("old"))
    reply = send_reply(
        user=cast.agent, conversation=Conversation.objects.get(), text="sent", draft_key="1"
    )
    Message.objects.filter(pk=reply.pk).update(status="sent")
    SendAttempt.objects.create(message=reply, client_id="1", finished_at=timezone.now())
    name = default_storage.save("ab/1", ContentFile(b"x"))
    Attachment.objects.update(stored_name=name, state="stored", stored_bytes=1)
    age()
    receive(shop, text_message("new"))
    sweep()
    assert texts() == ["new"]
    assert not default_storage.exists("ab/1")
    assert not SendAttempt.objects.exists()
    assert not Attachment.objects.exists()


def test_by_default_nothing_goes(shop: Session) -> None:
    change_settings(user=None, wanted={"message_days": 0})
    receive(shop, text_message("old"))
    age(3_000)
    sweep()
    assert texts() == ["old"]


def test_a_round_works_in_small_steps(shop: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (positions, old_messages):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(positions.oldest, "__kwdefaults__", {"after": 0, "limit": 2})
    receive(shop, *(text_message(f"{number}", sender=f"{number}@x") for number in range(7)))
    age()
    before, seen = timezone.now() - timedelta(days=30), []
    while old_messages.step(before):
        seen.append(Message.objects.count())
    assert seen == [5, 3, 1]
    assert not Message.objects.exists()


@pytest.mark.parametrize("why", ["queued", "sending", "unconfirmed", "failed", "parked", "draft"])
def test_what_waits_for_an_agent_keeps_its_conversation(
    shop: Session, cast: Cast, why: str
) -> None:
    receive(shop, text_message("old"), text_message("of Bo", sender=BO))
    conversation = Conversation.objects.get(contact__user_id=LINA)
    if why == "parked":
        ParkedReply.objects.create(
            conversation=conversation, by=cast.agent, text="x", expires_at=timezone.now()
        )
    elif why == "draft":
        drafts.save_draft(
            user=cast.agent, conversation=conversation, kind="reply", text="x", key="1", number=0
        )
    else:
        reply = send_reply(user=cast.agent, conversation=conversation, text="r", draft_key="1")
        holds = why in ("unconfirmed", "failed")
        Message.objects.filter(pk=reply.pk).update(status=why, holds_queue=holds)
        Conversation.objects.filter(pk=conversation.pk).update(not_sent=int(holds))
    age()
    sweep()
    assert set(Message.objects.values_list("conversation", flat=True)) == {conversation.pk}
    assert "old" in texts()


def test_an_old_draft_keeps_nothing(
    shop: Session, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    receive(shop, text_message("old"))
    conversation = Conversation.objects.get()
    drafts.save_draft(
        user=cast.agent, conversation=conversation, kind="reply", text="x", key="1", number=0
    )
    name = default_storage.save("ab/1", ContentFile(b"x"))
    Upload.objects.create(
        owner=cast.agent, kind="file", draft=Draft.objects.get(), stored_name=name
    )
    Draft.objects.update(updated_at=timezone.now() - OLD)
    age()
    sweep()
    assert not Draft.objects.exists()
    assert not Upload.objects.exists()
    assert not Message.objects.exists()
    assert not default_storage.exists("ab/1")


def test_an_emptied_conversation_goes_with_a_person_whom_nobody_described(shop: Session) -> None:
    receive(shop, text_message("old"))
    age()
    sweep()
    assert not Conversation.objects.exists()
    assert not Contact.objects.exists()
    assert not Context.objects.exists()
    assert Removal.objects.count() == 1
    # Who writes again is a new customer.
    assert receive(shop, text_message("hello")) == 1


@pytest.mark.parametrize("what", ["label", "name", "snooze"])
def test_what_members_made_of_a_person_keeps_the_conversation(
    shop: Session, cast: Cast, what: str
) -> None:
    receive(shop, text_message("old"))
    conversation = Conversation.objects.get()
    if what == "label":
        conversation.labels.add(Label.objects.create(team=cast.team, name="VIP"))
    elif what == "name":
        services.rename_contact(
            contact=conversation.contact, team_id=cast.team.pk, name="Li", user=None
        )
    else:
        until = timezone.now() + timedelta(days=1)
        Conversation.objects.update(status="snoozed", snoozed_until=until)
    age()
    sweep()
    conversation.refresh_from_db()
    assert not Message.objects.exists()
    assert (conversation.last_text, conversation.unread) == ("", 0)
    assert (conversation.waiting_since, conversation.missed_at) == (None, None)


def test_a_name_in_another_team_keeps_the_contact_only(shop: Session, cast: Cast) -> None:
    receive(shop, text_message("old"))
    services.rename_contact(
        contact=Contact.objects.get(), team_id=cast.other_team.pk, name="Li", user=None
    )
    age()
    sweep()
    assert not Conversation.objects.exists()
    assert Contact.objects.get().team_contacts.get().name == "Li"


def test_unread_counts_what_is_left(shop: Session) -> None:
    receive(shop, text_message("old"), text_message("old, too"))
    age()
    receive(shop, text_message("new"))
    sweep()
    assert Conversation.objects.get().unread == 1


# Open pages


def _client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.agent)
    return client


def test_an_open_page_drops_rows_and_bubbles(shop: Session, cast: Cast) -> None:
    receive(shop, text_message("old"), text_message("old of Bo", sender=BO))
    age()
    receive(shop, text_message("new"))
    hers = Conversation.objects.get(contact__user_id=LINA)
    his = Conversation.objects.get(contact__user_id=BO)
    number = max(Conversation.objects.values_list("version", flat=True))
    sweep()
    query = f"since=team:{cast.team.pk}:{number}&list=&open={hers.pk}"
    page = _client(cast).get(f"/inbox/changes/?{query}").content.decode()
    assert f'<li id="conversation-{his.pk}" data-removed></li>' in page
    assert f'id="conversation-{hers.pk}"' in page  # its row is told, too
    left = Message.objects.get()
    assert f'data-first="{left.pk:019d}"' in page


def test_a_page_at_an_older_number_opens_and_pages_back(shop: Session, cast: Cast) -> None:
    receive(shop, *(text_message(f"Mandarine {number}") for number in range(3)))
    first = Message.objects.earliest("id").pk
    age()
    receive(shop, text_message("new"))
    conversation, client = Conversation.objects.get(), _client(cast)
    sweep()
    for query in (f"before={first + 1}", f"around={first}", f"after={first}", ""):
        assert client.get(f"/inbox/{conversation.pk}/?{query}").status_code == 200, query
    assert b"Mandarine" not in client.get(f"/inbox/{conversation.pk}/").content


# Raw answers and files


def test_raw_answers_are_emptied_and_their_messages_stay(shop: Session) -> None:
    picture = text_message("old")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(shop, picture)
    Attachment.objects.update(state="failed")
    RawAnswer.objects.create(
        session=shop, reason="odd", digest="1", encrypted_body=encrypt_bytes(b"x"),
        received_at=timezone.now() - timedelta(days=15),
    )  # fmt: skip
    age(15)
    receive(shop, text_message("new"))
    assert Attachment.objects.get().encrypted_item
    sweep()
    old, new = Message.objects.order_by("id")
    assert bytes(old.encrypted_raw) == b""
    assert bytes(new.encrypted_raw) != b""
    assert old.text == "old"
    assert Attachment.objects.get().encrypted_item == ""
    assert bytes(RawAnswer.objects.get().encrypted_body) == b""
    # The next round goes on where this one ended.
    age(15)
    sweep()
    assert bytes(Message.objects.get(pk=new.pk).encrypted_raw) == b""


def test_a_file_that_is_still_awaited_keeps_its_key(shop: Session) -> None:
    picture = text_message("old")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(shop, picture)
    age(15)
    sweep()
    assert Attachment.objects.get().encrypted_item


def test_old_files_go_and_their_messages_stay(shop: Session, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    change_settings(user=None, wanted={"media_days": 10})
    picture = text_message("look")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(shop, picture)
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


def test_what_nobody_needs_any_more_is_swept(shop: Session, cast: Cast) -> None:
    now, long_ago = timezone.now(), timezone.now() - timedelta(days=500)
    PostedKey.objects.create(owner=cast.agent, key="old", digest="d", created_at=long_ago)
    PostedKey.objects.create(owner=cast.agent, key="new", digest="d")
    SessionEvent.objects.all().delete()
    SessionEvent.objects.create(session=shop, kind="stray", at=long_ago)
    SessionEvent.objects.create(session=shop, kind="stray", at=now)
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


def test_old_attempts_go_but_those_of_waiting_replies(shop: Session, cast: Cast) -> None:
    receive(shop, text_message("hi"))
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
    shop: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
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
