"""What is too old goes in small steps; what waits stays; open pages are told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from messaging.composing import drafts
from messaging.models import (
    Attachment,
    Contact,
    Conversation,
    Draft,
    Label,
    Message,
    ParkedReply,
    Removal,
    SendAttempt,
    Upload,
)
from messaging.replying import services
from messaging.retention import old_messages, positions
from sessions_app.models import (
    Context,
    Session,
)
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast
from tests.messaging.builders import receive, text_message
from tests.messaging.retention.ages import BO, LINA, OLD, age, sweep, texts
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


# Messages


def test_old_messages_go_with_their_files_and_attempts(
    old_shop: Session, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = text_message("old picture")
    picture["item_list"].append({"type": 2, "image_item": {"media": {}}})
    receive(old_shop, picture, text_message("old"))
    reply = send_reply(
        user=cast.agent, conversation=Conversation.objects.get(), text="sent", draft_key="1"
    )
    Message.objects.filter(pk=reply.pk).update(status="sent")
    SendAttempt.objects.create(message=reply, client_id="1", finished_at=timezone.now())
    name = default_storage.save("ab/1", ContentFile(b"x"))
    Attachment.objects.update(stored_name=name, state="stored", stored_bytes=1)
    age()
    receive(old_shop, text_message("new"))
    sweep()
    assert texts() == ["new"]
    assert not default_storage.exists("ab/1")
    assert not SendAttempt.objects.exists()
    assert not Attachment.objects.exists()


def test_by_default_nothing_goes(old_shop: Session) -> None:
    change_settings(user=None, wanted={"message_days": 0})
    receive(old_shop, text_message("old"))
    age(3_000)
    sweep()
    assert texts() == ["old"]


def test_a_round_works_in_small_steps(old_shop: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (positions, old_messages):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(positions.oldest, "__kwdefaults__", {"after": 0, "limit": 2})
    receive(old_shop, *(text_message(f"{number}", sender=f"{number}@x") for number in range(7)))
    age()
    before, seen = timezone.now() - timedelta(days=30), []
    while old_messages.step(before):
        seen.append(Message.objects.count())
    assert seen == [5, 3, 1]
    assert not Message.objects.exists()


@pytest.mark.parametrize("why", ["queued", "sending", "unconfirmed", "failed", "parked", "draft"])
def test_what_waits_for_an_agent_keeps_its_conversation(
    old_shop: Session, cast: Cast, why: str
) -> None:
    receive(old_shop, text_message("old"), text_message("of Bo", sender=BO))
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
    old_shop: Session, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    receive(old_shop, text_message("old"))
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


def test_parked_replies_that_were_decided_go_by_age(old_shop: Session, cast: Cast) -> None:
    receive(old_shop, text_message("new"))
    conversation, long_ago = Conversation.objects.get(), timezone.now() - OLD
    for state in ("waiting", "sent", "discarded", "expired"):
        ParkedReply.objects.create(
            conversation=conversation, by=cast.agent, text=state, state=state,
            created_at=long_ago, expires_at=long_ago, draft_key=state,
        )  # fmt: skip
    ParkedReply.objects.create(
        conversation=conversation, by=cast.agent, text="x", state="sent", expires_at=long_ago
    )
    sweep()
    assert [one.text for one in ParkedReply.objects.all()] == ["waiting", "x"]


def test_an_emptied_conversation_goes_with_a_person_whom_nobody_described(
    old_shop: Session,
) -> None:
    receive(old_shop, text_message("old"))
    age()
    sweep()
    assert not Conversation.objects.exists()
    assert not Contact.objects.exists()
    assert not Context.objects.exists()
    assert Removal.objects.count() == 1
    # Who writes again is a new customer.
    assert receive(old_shop, text_message("hello")) == 1


@pytest.mark.parametrize("what", ["label", "name", "snooze"])
def test_what_members_made_of_a_person_keeps_the_conversation(
    old_shop: Session, cast: Cast, what: str
) -> None:
    receive(old_shop, text_message("old"))
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


def test_a_name_in_another_team_keeps_the_contact_only(old_shop: Session, cast: Cast) -> None:
    receive(old_shop, text_message("old"))
    services.rename_contact(
        contact=Contact.objects.get(), team_id=cast.other_team.pk, name="Li", user=None
    )
    age()
    sweep()
    assert not Conversation.objects.exists()
    assert Contact.objects.get().team_contacts.get().name == "Li"


def test_unread_counts_what_is_left(old_shop: Session) -> None:
    receive(old_shop, text_message("old"), text_message("old, too"))
    age()
    receive(old_shop, text_message("new"))
    sweep()
    assert Conversation.objects.get().unread == 1


# Open pages


def _client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.agent)
    return client


def test_an_open_page_drops_rows_and_bubbles(old_shop: Session, cast: Cast) -> None:
    receive(old_shop, text_message("old"), text_message("old of Bo", sender=BO))
    age()
    receive(old_shop, text_message("new"))
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


def test_a_page_at_an_older_number_opens_and_pages_back(old_shop: Session, cast: Cast) -> None:
    receive(old_shop, *(text_message(f"Mandarine {number}") for number in range(3)))
    first = Message.objects.earliest("id").pk
    age()
    receive(old_shop, text_message("new"))
    conversation, client = Conversation.objects.get(), _client(cast)
    sweep()
    for query in (f"before={first + 1}", f"around={first}", f"after={first}", ""):
        assert client.get(f"/inbox/{conversation.pk}/?{query}").status_code == 200, query
    assert b"Mandarine" not in client.get(f"/inbox/{conversation.pk}/").content
