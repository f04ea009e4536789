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
def thread(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    return Conversation.objects.get()


def save(thread: Conversation, user: User, text: str, number: int, kind: str = "reply") -> Draft:
    return drafts.save_draft(
        user=user, conversation=thread, kind=kind, text=text, key="k", number=number
    )


def begun_by(user: User, thread: Conversation) -> bool:
    return drafts.begun().filter(user=user, conversation=thread).exists()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_draft_is_kept_per_person_conversation_and_kind(cast: Cast, thread: Conversation) -> None:
    save(thread, cast.agent, "a reply", 0)
    save(thread, cast.agent, "a note", 0, "note")
    save(thread, cast.supervisor, "another's", 0)
    kept = drafts.drafts_of(cast.agent, thread)
    assert (kept["reply"].text, kept["note"].text) == ("a reply", "a note")


def test_two_tabs_do_not_overwrite_each_other(cast: Cast, thread: Conversation) -> None:
    save(thread, cast.agent, "one", 0)
    save(thread, cast.agent, "one more", 1)
    with pytest.raises(DraftChanged) as changed:
        save(thread, cast.agent, "the other tab", 1)
    assert (changed.value.draft.text, changed.value.draft.number) == ("one more", 2)
    assert save(thread, cast.agent, "one more", 1).number == 2  # the same text is no conflict


def test_no_event_touches_a_draft(cast: Cast, thread: Conversation) -> None:
    save(thread, cast.agent, "so far", 0)
    before = Draft.objects.values().get()
    receive(make_session("Repairs"), text_message("again"), cursor="c2")
    send_reply(user=cast.supervisor, conversation=thread, text="x", draft_key="s")
    services.rename_contact(contact=thread.contact, name="李娜", user=None)
    services.mark_read(conversation=thread, up_to=99, user=None)
    assert Draft.objects.values().get() == before


def test_beginning_and_ending_a_draft_is_seen_on_the_row(cast: Cast, thread: Conversation) -> None:
    def version() -> int:
        thread.refresh_from_db()
        return thread.version

    first = version()
    save(thread, cast.agent, "s", 0)
    begun = version()
    save(thread, cast.agent, "so", 1)
    assert first < begun == version()
    assert begun_by(cast.agent, thread)
    assert not begun_by(cast.supervisor, thread)
    save(thread, cast.agent, "", 2)
    assert version() > begun
    assert not begun_by(cast.agent, thread)


def test_the_page_saves_and_is_told_of_a_conflict(cast: Cast, thread: Conversation) -> None:
    client, url = as_(cast.agent), f"/inbox/{thread.pk}/draft/"
    form = {"kind": "reply", "text": "字" * 4_500, "key": "k1", "number": "0"}
    answer = client.post(url, form).json()
    assert (answer["number"], answer["key"], answer["parts"]) == (1, "k1", 3)
    late = client.post(url, {**form, "text": "other"})
    assert late.status_code == 409
    assert late.json()["text"] == "字" * 4_500
    page = client.get(f"/inbox/{thread.pk}/").content.decode()
    assert f">{'字' * 4_500}</textarea>" in page
    assert 'name="draft_key" value="k1"' in page


@pytest.mark.parametrize("sign", ["字", "\U0001f600", "\r\n"])
def test_a_text_that_is_too_long_is_refused_and_never_cut(
    cast: Cast, thread: Conversation, sign: str
) -> None:
    client, url = as_(cast.agent), f"/inbox/{thread.pk}/draft/"
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
def test_nonsense_in_a_save_breaks_nothing(cast: Cast, thread: Conversation, number: str) -> None:
    form = {"text": "a\0b", "key": "k" * 200, "number": number}
    assert as_(cast.agent).post(f"/inbox/{thread.pk}/draft/", form).status_code == 200
    assert Draft.objects.get().text == "ab"


def test_who_may_save_a_draft(cast: Cast, thread: Conversation) -> None:
    url, form = f"/inbox/{thread.pk}/draft/", {"text": "x", "number": "0"}
    for user in (cast.administrator, cast.supervisor, cast.agent):
        assert as_(user).post(url, form).status_code == 200
    for user in (cast.operator, cast.viewer, cast.outsider):
        assert as_(user).post(url, form).status_code == 403
    assert as_(cast.agent_elsewhere).post(url, form).status_code == 404
