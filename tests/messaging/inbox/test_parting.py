"""Who can no longer see or answer a conversation is told why, and keeps what they had begun."""

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from messaging.composing import drafts
from messaging.conversations import presence, work
from messaging.inbox.parting import parting
from messaging.models import Conversation, Upload
from sessions_app.models import Team, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

WORDS = "Your parcel <b>is</b> at the gate"


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    cache.clear()  # who looks at a conversation is kept there
    receive(make_session("Shop A"), text_message("where is it?"))
    return Conversation.objects.get()


def _begin(user: User, conversation: Conversation, text: str = WORDS, kind: str = "reply") -> None:
    drafts.save_draft(
        user=user, conversation=conversation, kind=kind, text=text, key=f"k-{kind}", number=0
    )


def _move(conversation: Conversation, user: User | None) -> Team:
    team = Team.objects.create(name="Repairs")
    work.transfer(ids=[conversation.pk], team=team, user=user)
    return team


def _page(user: User, conversation: Conversation) -> tuple[int, str]:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    answer = client.get(f"/inbox/{conversation.pk}/")
    return answer.status_code, answer.content.decode()


def _news(user: User, conversation: Conversation) -> str:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client.get("/inbox/changes/", {"open": conversation.pk}).content.decode()


def test_a_moved_conversation_names_the_team_and_who_moved_it(
    cast: Cast, conversation: Conversation
) -> None:
    _begin(cast.agent, conversation)
    _move(conversation, cast.supervisor)
    said = f"{cast.supervisor.display_name} transferred this conversation to the team Repairs."
    for words in (_page(cast.agent, conversation)[1], _news(cast.agent, conversation)):
        assert said in words
        assert "Your parcel &lt;b&gt;is&lt;/b&gt; at the gate" in words
    assert _page(cast.agent, conversation)[0] == 404


def test_what_a_rule_moved_names_the_team_alone(cast: Cast, conversation: Conversation) -> None:
    presence.arrive(user=cast.agent, conversation=conversation, types=False)
    _move(conversation, None)
    assert "This conversation was transferred to the team Repairs." in _news(
        cast.agent, conversation
    )


def test_a_note_is_kept_beside_the_reply(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation, "a reply")
    _begin(cast.agent, conversation, "a note", "note")
    _move(conversation, None)
    found = parting(cast.agent, conversation.pk)
    assert found.texts == {"reply": "a reply", "note": "a note"}


def test_files_of_the_draft_are_named(cast: Cast, conversation: Conversation) -> None:
    draft = drafts.draft_of(cast.agent, conversation)
    draft.user = cast.agent
    draft.save()
    for place, name in enumerate(["b.pdf", "a.png", ""]):
        Upload.objects.create(
            owner=cast.agent, draft=draft, place=place, kind="file", file_name=name, stored_name="x"
        )
    _move(conversation, None)
    found = parting(cast.agent, conversation.pk)
    assert found.files == ["b.pdf", "a.png", "file"]
    assert "<bdi>b.pdf</bdi>, <bdi>a.png</bdi>, <bdi>file</bdi>" in _news(cast.agent, conversation)


def test_who_leaves_the_team_is_told_its_name(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation)
    cast.agent.teams.set([Team.objects.create(name="Elsewhere")])
    status, words = _page(cast.agent, conversation)
    assert status == 404
    assert f"You are no longer a member of the team {conversation.team.name}." in words
    assert "at the gate" in words


def test_a_reader_without_a_draft_is_told_too(cast: Cast, conversation: Conversation) -> None:
    presence.arrive(user=cast.agent, conversation=conversation, types=False)
    cast.agent.teams.clear()
    assert f"no longer a member of the team {conversation.team.name}" in _news(
        cast.agent, conversation
    )


def test_who_may_only_read_now_sees_the_text_under_the_thread(
    cast: Cast, conversation: Conversation
) -> None:
    _begin(cast.agent, conversation)
    cast.agent.groups.set([Group.objects.get(name="viewer")])
    status, words = _page(cast.agent, conversation)
    assert status == 200
    assert "Your role is now viewer: you can read this conversation, but not answer it." in words
    assert "at the gate" in words
    assert "where is it?" in words
    assert "data-composer" not in words


def test_who_may_not_even_read_sees_their_own_text_and_no_message(
    cast: Cast, conversation: Conversation
) -> None:
    _begin(cast.agent, conversation)
    cast.agent.groups.set([Group.objects.get(name="operator")])
    status, words = _page(cast.agent, conversation)
    assert status == 403
    assert "Your role is now operator, which does not include reading conversations." in words
    assert "at the gate" in words
    assert "where is it?" not in words


def test_who_has_no_role_at_all_is_told_so(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation)
    cast.agent.groups.clear()
    status, words = _page(cast.agent, conversation)
    assert status == 403
    assert "You no longer have a role here." in words
    assert "at the gate" in words


def test_the_draft_is_back_with_the_right(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation)
    home = conversation.team
    _move(conversation, None)
    assert _page(cast.agent, conversation)[0] == 404
    work.transfer(ids=[conversation.pk], team=home, user=None)
    status, words = _page(cast.agent, conversation)
    assert status == 200
    assert "data-composer" in words
    assert "at the gate" in words


def test_where_it_went_later_is_not_told(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation)
    _move(conversation, cast.supervisor)
    work.transfer(
        ids=[conversation.pk], team=Team.objects.create(name="Secret"), user=cast.administrator
    )
    words = _news(cast.agent, conversation)
    assert "to the team Repairs." in words
    assert "Secret" not in words


def test_who_never_saw_it_is_told_no_names(cast: Cast, conversation: Conversation) -> None:
    _move(conversation, cast.supervisor)
    assert "transferred to another team" in _page(cast.agent, conversation)[1]
    for member in (cast.agent, cast.operator, cast.agent_elsewhere):
        status, words = _page(member, conversation)
        assert status in (403, 404)
        assert "Repairs" not in words


def test_a_deleted_conversation_has_a_place_for_the_words_of_this_tab(
    cast: Cast, conversation: Conversation
) -> None:
    pk = conversation.pk
    conversation.delete()
    client = Client()
    client.force_login(cast.agent)
    words = client.get("/inbox/changes/", {"open": pk}).content.decode()
    assert "It was deleted, or it belongs to another team." in words
    assert 'data-kept-kind="reply"' in words


def test_a_stranger_learns_nothing(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.agent, conversation)
    for stranger in (cast.agent_elsewhere, cast.operator, cast.outsider):
        status, words = _page(stranger, conversation)
        assert status in (403, 404)
        assert conversation.team.name not in words or stranger == cast.operator
        assert "at the gate" not in words
        assert "Your role is now" not in words
        assert not parting(stranger, conversation.pk).reason


def test_a_colleague_s_text_is_nobody_else_s(cast: Cast, conversation: Conversation) -> None:
    _begin(cast.supervisor, conversation)
    _move(conversation, None)
    assert "at the gate" not in _news(cast.agent, conversation)
    assert "at the gate" in _news(cast.supervisor, conversation)


@pytest.mark.parametrize("pk", [0, 999_999, 2**63])
def test_what_never_was_says_no_reason(cast: Cast, conversation: Conversation, pk: int) -> None:
    assert not parting(cast.agent, pk).reason
