"""Internal notes from the composer, and the people they name."""

import pytest
from django.test import Client

from messaging.models import Conversation, Mention, Message
from messaging.replying import notes
from sessions_app.models import Session, User
from sessions_app.realtime.streams import numbers_of
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    return Conversation.objects.get()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def note(conversation: Conversation, user: User, text: str, key: str = "k") -> int:
    form = {"kind": "note", "text": text, "draft_key": key, "seen_up_to": "0"}
    return as_(user).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX).status_code


def test_a_note_never_becomes_a_message_to_the_person(
    cast: Cast, conversation: Conversation
) -> None:
    assert note(conversation, cast.agent, "ask the carrier") == 200
    made = Message.objects.get(direction="note")
    assert (made.text, made.sent_by, made.status) == ("ask the carrier", cast.agent, "received")
    assert not Message.objects.filter(direction="out").exists()


def test_a_double_click_is_one_note(cast: Cast, conversation: Conversation) -> None:
    assert note(conversation, cast.agent, "once") == note(conversation, cast.agent, "once") == 200
    assert Message.objects.filter(direction="note").count() == 1
    assert note(conversation, cast.agent, "other words") == 422
    assert note(conversation, cast.agent, "   ", "e") == 422


def test_naming_somebody_is_kept_and_told_to_them(cast: Cast, conversation: Conversation) -> None:
    key = cast.supervisor.stream_key
    before = numbers_of([key])[key]
    note(conversation, cast.agent, "@sue, please; not @eve, nor me@wei.example, and @wei is me")
    assert [one.user for one in Mention.objects.all()] == [cast.supervisor]
    assert numbers_of([key])[key] > before


def test_a_mention_is_seen_when_the_conversation_is_open(
    cast: Cast, conversation: Conversation
) -> None:
    note(conversation, cast.agent, "@sue look")
    assert as_(cast.supervisor).post(f"/inbox/{conversation.pk}/here/").status_code == 200
    assert Mention.objects.get().seen_at is not None


def test_a_name_ends_at_its_end(cast: Cast) -> None:
    people = [cast.supervisor, cast.agent]
    assert notes.named_in("@sue. @suex", people) == [cast.supervisor]
    assert notes.named_in("@SUE", people) == [cast.supervisor]
    assert notes.named_in("sue", people) == []


def test_who_can_be_named_are_the_readers_of_the_team(
    cast: Cast, conversation: Conversation
) -> None:
    answer = as_(cast.agent).get(f"/inbox/{conversation.pk}/people/").json()
    assert [one["username"] for one in answer["people"]] == ["ada", "sue", "vic", "wei"]
    for user in (cast.operator, cast.viewer, cast.outsider):
        assert as_(user).get(f"/inbox/{conversation.pk}/people/").status_code == 403
    assert as_(cast.agent_elsewhere).get(f"/inbox/{conversation.pk}/people/").status_code == 404
