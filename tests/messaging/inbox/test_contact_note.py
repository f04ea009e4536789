"""The note about a person: kept in place, seen by the team at once, never lost to a colleague's."""

import pytest
from django.test import Client

from messaging.models import Conversation
from messaging.replying import services
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.inbox.test_inbox_pages import HTMX, as_

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


def note_of(conversation: Conversation) -> str:
    return Conversation.objects.get(pk=conversation.pk).contact_words.note


def write(conversation: Conversation, note: str, user: User) -> None:
    services.write_contact_note(
        contact=conversation.contact, team_id=conversation.team_id, note=note, user=user
    )


def test_it_is_written_as_a_page_without_javascript(cast: Cast, conversation: Conversation) -> None:
    client, address = as_(cast.agent), f"/inbox/{conversation.pk}/note/"
    assert 'name="note"' in client.get(address).content.decode()
    answer = client.post(address, {"note": "likes <b>voice</b>\r\nmessages", "seen": ""})
    assert answer["Location"] == f"/inbox/{conversation.pk}/"
    assert note_of(conversation) == "likes <b>voice</b>\nmessages"
    page = client.get(f"/inbox/{conversation.pk}/").content.decode()
    assert "likes &lt;b&gt;voice&lt;/b&gt;\nmessages</p>" in page


def test_in_the_pane_the_note_comes_back_in_the_forms_place(
    cast: Cast, conversation: Conversation
) -> None:
    client, address = as_(cast.agent), f"/inbox/{conversation.pk}/note/"
    form = client.get(address, headers=HTMX).content.decode()
    assert "<html" not in form
    answer = client.post(address, {"note": "VIP", "seen": ""}, headers=HTMX)
    assert 'id="contact-note"' in answer.content.decode()
    assert "VIP" in client.get(f"{address}?cancel", headers=HTMX).content.decode()
    too_long = client.post(address, {"note": "x" * 2_001, "seen": "VIP"}, headers=HTMX)
    assert too_long.status_code == 422
    assert note_of(conversation) == "VIP"


def test_what_a_colleague_wrote_meanwhile_is_shown_before_it_is_replaced(
    cast: Cast, conversation: Conversation
) -> None:
    client, address = as_(cast.agent), f"/inbox/{conversation.pk}/note/"
    write(conversation, "theirs", cast.supervisor)
    refused = client.post(address, {"note": "mine", "seen": ""}, headers=HTMX)
    words = refused.content.decode()
    assert refused.status_code == 422
    assert "It says: “theirs”" in words
    assert "mine</textarea>" in words
    assert 'name="seen" value="theirs"' in words
    assert note_of(conversation) == "theirs"
    client.post(address, {"note": "mine", "seen": "theirs"}, headers=HTMX)
    assert note_of(conversation) == "mine"


def test_everybody_who_has_the_conversation_open_hears_of_it(
    cast: Cast, conversation: Conversation
) -> None:
    client = as_(cast.agent)
    key = conversation.team.stream_key
    before = client.get(f"/inbox/{conversation.pk}/").context["console"].streams[key]
    write(conversation, "VIP", cast.supervisor)
    news = client.get("/inbox/changes/", {"open": str(conversation.pk), "since": f"{key}:{before}"})
    assert "VIP" in news.content.decode()


@pytest.mark.parametrize(
    ("who", "status"), [("viewer", 403), ("operator", 403), ("agent_elsewhere", 404)]
)
def test_others_do_not_write_it(
    cast: Cast, conversation: Conversation, who: str, status: int
) -> None:
    client: Client = as_(getattr(cast, who))
    for answer in (
        client.get(f"/inbox/{conversation.pk}/note/"),
        client.post(f"/inbox/{conversation.pk}/note/", {"note": "x", "seen": ""}),
    ):
        assert answer.status_code == status


def test_the_pane_begins_with_name_note_and_labels(cast: Cast, conversation: Conversation) -> None:
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
    pane = page[page.index('id="context"') :]
    parts = ['id="name-context"', 'id="contact-note"', 'id="context-labels"', 'id="accounts"']
    places = [pane.index(part) for part in parts]
    assert places == sorted(places)
    assert f'data-copies-words="{conversation.contact.user_id}"' in pane
    assert f">{conversation.contact.user_id}<" not in page
