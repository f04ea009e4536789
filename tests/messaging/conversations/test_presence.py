"""Who looks and who types: said by pages, lapsing by itself, seen by the team alone."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from messaging.conversations import presence, work
from messaging.models import Conversation, Typing
from sessions_app.models import Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


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


def here(conversation: Conversation, user: User, **form: str) -> list[str]:
    answer = as_(user).post(f"/inbox/{conversation.pk}/here/", form)
    assert answer.status_code == 200
    return [one["name"] for one in answer.json()["people"]]


def test_who_opens_a_conversation_is_seen_until_they_leave(
    cast: Cast, conversation: Conversation
) -> None:
    assert here(conversation, cast.agent) == ["wei"]
    assert here(conversation, cast.supervisor) == ["wei", "sue"]
    assert here(conversation, cast.agent, left="1") == ["sue"]


def test_who_types_is_seen_typing(cast: Cast, conversation: Conversation) -> None:
    here(conversation, cast.agent, types="reply")
    (wei,) = presence.present_at(conversation)
    assert wei.types_until > 0
    here(conversation, cast.agent, types="")
    (wei,) = presence.present_at(conversation)
    assert wei.types_until == 0


def test_what_is_not_renewed_lapses(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "LOOKS_FOR_S", -1)
    here(conversation, cast.agent)
    assert presence.present_at(conversation) == []


def test_only_what_changes_is_told_to_others(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        presence,
        "tell",
        lambda key, notice: told.append(f"{key} {len(notice['people'])}"),
    )
    team = f"team:{conversation.team_id}"
    here(conversation, cast.agent)
    here(conversation, cast.agent)
    assert told == [f"{team} 1"]
    here(conversation, cast.agent, types="reply")
    here(conversation, cast.agent, types="reply")
    assert told == [f"{team} 1"] * 2
    here(conversation, cast.agent)
    here(conversation, cast.agent, left="1")
    assert told == [*[f"{team} 1"] * 3, f"{team} 0"]


def test_rows_ask_for_all_at_once_and_see_their_own_teams_only(
    cast: Cast, conversation: Conversation
) -> None:
    here(conversation, cast.agent)
    url = f"/inbox/presence/?ids={conversation.pk},999,x,²"
    assert list(as_(cast.viewer).get(url).json()) == [str(conversation.pk)]
    assert as_(cast.agent_elsewhere).get(url).json() == {}
    for user in (cast.operator, cast.outsider):
        assert as_(user).get(url).status_code == 403


def test_who_may_say_that_they_are_here(cast: Cast, conversation: Conversation) -> None:
    url = f"/inbox/{conversation.pk}/here/"
    for user in (cast.administrator, cast.supervisor, cast.agent, cast.viewer):
        assert as_(user).post(url).status_code == 200
    for user in (cast.operator, cast.outsider):
        assert as_(user).post(url).status_code == 403
    assert as_(cast.agent_elsewhere).post(url).status_code == 404


def test_after_a_transfer_the_former_team_is_not_told(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(presence, "tell", lambda key, notice: told.append(key))
    work.transfer(ids=[conversation.pk], team=cast.other_team, user=cast.agent)
    here(conversation, cast.agent_elsewhere, types="note")
    assert told == [cast.other_team.stream_key]
    url, client = f"/inbox/presence/?ids={conversation.pk}", as_(cast.agent)
    assert client.get(url).json() == {}
    assert client.post(f"/inbox/{conversation.pk}/here/").status_code == 404
    for address in ("/inbox/", f"/inbox/{conversation.pk}/", "/inbox/changes/?since=team:1:0"):
        assert "eve" not in client.get(address).content.decode(), address


def test_the_page_shows_who_was_there_when_it_was_drawn(
    cast: Cast, conversation: Conversation
) -> None:
    here(conversation, cast.supervisor)
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
    assert "&quot;name&quot;: &quot;sue&quot;" in page


def test_a_cache_that_is_away_shows_nobody(
    cast: Cast, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("messaging.conversations.presence.cache.set", away)
    monkeypatch.setattr("messaging.conversations.presence.cache.get_many", away)
    assert here(conversation, cast.agent) == ["wei"]
    assert presence.present_at(conversation) == []


# The customer sees typing


def test_typing_a_reply_is_shown_to_the_person_and_ends(
    cast: Cast, conversation: Conversation
) -> None:
    here(conversation, cast.agent, types="reply")
    wanted = Typing.objects.get()
    assert wanted.session == conversation.session
    here(conversation, cast.agent, types="")
    ended = Typing.objects.get()
    assert ended.wanted_until < wanted.wanted_until


def test_notes_and_readers_show_the_person_nothing(cast: Cast, conversation: Conversation) -> None:
    here(conversation, cast.agent, types="note")
    here(conversation, cast.viewer, types="reply")
    assert not Typing.objects.exists()
