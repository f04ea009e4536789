"""Drafts on the server: per conversation, person and kind, and never overwritten silently."""

import pytest
from django.test import Client

from messaging.composing import drafts
from messaging.composing.drafts import DraftChanged
from messaging.models import Conversation, Draft
from messaging.replying import services
from sessions_app.models import Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    return Conversation.objects.get()


def save(
    conversation: Conversation, user: User, text: str, number: int, kind: str = "reply"
) -> Draft:
    return drafts.save_draft(
        user=user, conversation=conversation, kind=kind, text=text, key="k", number=number
    )


def begun_by(user: User, conversation: Conversation) -> bool:
    return drafts.begun().filter(user=user, conversation=conversation).exists()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_draft_is_kept_per_person_conversation_and_kind(
    cast: Cast, conversation: Conversation
) -> None:
    save(conversation, cast.agent, "a reply", 0)
    save(conversation, cast.agent, "a note", 0, "note")
    save(conversation, cast.supervisor, "another's", 0)
    kept = drafts.drafts_of(cast.agent, conversation)
    assert (kept["reply"].text, kept["note"].text) == ("a reply", "a note")


def test_two_tabs_do_not_overwrite_each_other(cast: Cast, conversation: Conversation) -> None:
    save(conversation, cast.agent, "one", 0)
    save(conversation, cast.agent, "one more", 1)
    with pytest.raises(DraftChanged) as changed:
        save(conversation, cast.agent, "the other tab", 1)
    assert (changed.value.draft.text, changed.value.draft.number) == ("one more", 2)
    assert save(conversation, cast.agent, "one more", 1).number == 2  # the same text is no conflict


def test_no_event_touches_a_draft(cast: Cast, conversation: Conversation) -> None:
    save(conversation, cast.agent, "so far", 0)
    before = Draft.objects.values().get()
    receive(make_session("Repairs"), text_message("again"), cursor="c2")
    send_reply(user=cast.supervisor, conversation=conversation, text="x", draft_key="s")
    services.rename_contact(
        contact=conversation.contact, team_id=conversation.team_id, name="李娜", user=None
    )
    services.mark_read(conversation=conversation, up_to=99, user=None)
    assert Draft.objects.values().get() == before


def test_beginning_and_ending_a_draft_is_seen_on_the_row(
    cast: Cast, conversation: Conversation
) -> None:
    def version() -> int:
        conversation.refresh_from_db()
        return conversation.version

    first = version()
    save(conversation, cast.agent, "s", 0)
    begun = version()
    save(conversation, cast.agent, "so", 1)
    assert first < begun == version()
    assert begun_by(cast.agent, conversation)
    assert not begun_by(cast.supervisor, conversation)
    save(conversation, cast.agent, "", 2)
    assert version() > begun
    assert not begun_by(cast.agent, conversation)


def test_the_page_saves_and_is_told_of_a_conflict(cast: Cast, conversation: Conversation) -> None:
    client, url = as_(cast.agent), f"/inbox/{conversation.pk}/draft/"
    form = {"kind": "reply", "text": "字" * 4_500, "key": "k1", "number": "0"}
    answer = client.post(url, form).json()
    assert (answer["number"], answer["key"], answer["parts"]) == (1, "k1", 3)
    late = client.post(url, {**form, "text": "other"})
    assert late.status_code == 409
    assert late.json()["text"] == "字" * 4_500
    page = client.get(f"/inbox/{conversation.pk}/").content.decode()
    assert f">{'字' * 4_500}</textarea>" in page
    assert 'name="draft_key" value="k1"' in page


@pytest.mark.parametrize("sign", ["字", "\U0001f600", "\r\n"])
def test_a_text_that_is_too_long_is_refused_and_never_cut(
    cast: Cast, conversation: Conversation, sign: str
) -> None:
    client, url = as_(cast.agent), f"/inbox/{conversation.pk}/draft/"
    most = sign * drafts.MOST_CHARACTERS
    answer = client.post(url, {"kind": "note", "text": most, "key": "k", "number": "0"})
    assert answer.json()["text"] == most.replace("\r\n", "\n")
    late = client.post(url, {"kind": "note", "text": f"{most}x", "key": "k", "number": "1"})
    assert (late.status_code, late["WeiLink-Refusal"]) == (422, "422")
    assert Draft.objects.get().text == most.replace("\r\n", "\n")
    assert "too long" in client.get("/account/token/").json()["words"]["draft_422"]
    shorter = client.post(url, {"kind": "note", "text": "short", "key": "k", "number": "1"})
    assert shorter.json()["text"] == "short"


@pytest.mark.parametrize("number", ["", "x", "²", "9" * 30])
def test_nonsense_in_a_save_breaks_nothing(
    cast: Cast, conversation: Conversation, number: str
) -> None:
    form = {"text": "a\0b", "key": "k" * 200, "number": number}
    assert as_(cast.agent).post(f"/inbox/{conversation.pk}/draft/", form).status_code == 200
    assert Draft.objects.get().text == "ab"


def test_who_may_save_a_draft(cast: Cast, conversation: Conversation) -> None:
    url, form = f"/inbox/{conversation.pk}/draft/", {"text": "x", "number": "0"}
    for user in (cast.administrator, cast.supervisor, cast.agent):
        assert as_(user).post(url, form).status_code == 200
    for user in (cast.operator, cast.viewer, cast.outsider):
        assert as_(user).post(url, form).status_code == 403
    assert as_(cast.agent_elsewhere).post(url, form).status_code == 404
