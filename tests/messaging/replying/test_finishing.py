"""Sending together with what is done to the conversation: all of it, or nothing, and once."""

import pytest
from django.test import Client

from messaging.composing import drafts
from messaging.conversations import work
from messaging.models import Conversation, Draft, Message, WorkAction
from sessions_app.models import Context, Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("my parcel?"))
    return Conversation.objects.get()


def post(conversation: Conversation, user: User, **form: object) -> int:
    client = Client()
    client.force_login(user)
    values = {"text": "It comes today", "draft_key": "k1", **form}
    return client.post(f"/inbox/{conversation.pk}/reply/", values, headers=HTMX).status_code


def fresh(conversation: Conversation) -> Conversation:
    conversation.refresh_from_db()
    return conversation


def test_send_and_resolve_does_both_and_misses_nobody(
    cast: Cast, conversation: Conversation
) -> None:
    assert post(conversation, cast.agent, also="resolve") == 200
    assert fresh(conversation).status == "resolved"
    assert conversation.missed_at is None
    assert [one.text for one in Message.objects.filter(direction="out")] == ["It comes today"]


def test_what_was_resolved_so_can_be_opened_again_by_undo(
    cast: Cast, conversation: Conversation
) -> None:
    assert post(conversation, cast.agent, also="resolve") == 200
    action = WorkAction.objects.get()
    client = Client()
    client.force_login(cast.agent)
    assert client.post("/inbox/work/undo/", {"action": action.pk}, headers=HTMX).status_code == 200
    assert fresh(conversation).status == "open"


def test_a_refused_one_resolves_and_takes_nothing(cast: Cast, conversation: Conversation) -> None:
    Context.objects.update(replies_used=99)
    assert post(conversation, cast.agent, also=["resolve", "take"]) == 422
    assert (fresh(conversation).status, conversation.assignee) == ("open", None)
    assert not Message.objects.filter(direction="out").exists()


def test_the_same_post_again_does_not_resolve_what_was_opened_since(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    assert post(conversation, cast.agent, also="resolve") == 200
    receive(shop, text_message("and the other one?"), cursor="c2")
    assert fresh(conversation).status == "open"
    assert post(conversation, cast.agent, also="resolve") == 200
    assert fresh(conversation).status == "open"
    assert Message.objects.filter(direction="out").count() == 1


def test_assign_to_me_and_send(cast: Cast, conversation: Conversation) -> None:
    work.assign(ids=[conversation.pk], assignee=cast.supervisor, user=None)
    assert post(conversation, cast.agent, also="take") == 200
    assert fresh(conversation).assignee == cast.agent


def test_what_nobody_knows_changes_nothing(cast: Cast, conversation: Conversation) -> None:
    assert post(conversation, cast.agent, also=["", "snooze"]) == 200
    assert (fresh(conversation).status, conversation.assignee) == ("open", None)


# The draft that follows


def _draft(user: User, conversation: Conversation, text: str) -> Draft:
    return drafts.save_draft(
        user=user, conversation=conversation, kind="reply", text=text, key="k1", number=0
    )


def test_the_draft_takes_the_key_that_the_page_has_begun(
    cast: Cast, conversation: Conversation
) -> None:
    _draft(cast.agent, conversation, "It comes today")
    assert post(conversation, cast.agent, next_key="k2") == 200
    row = Draft.objects.get()
    assert (row.key, row.text, row.number) == ("k2", "", 2)


@pytest.mark.parametrize("next_key", ["", "k1"])
def test_the_used_key_is_never_the_next_one(
    cast: Cast, conversation: Conversation, next_key: str
) -> None:
    _draft(cast.agent, conversation, "It comes today")
    assert post(conversation, cast.agent, next_key=next_key) == 200
    assert Draft.objects.get().key not in ("", "k1")


@pytest.mark.parametrize("form", [{}, {"park": "1"}, {"kind": "note"}])
def test_a_save_that_its_post_overtook_brings_nothing_back(
    cast: Cast, conversation: Conversation, form: dict[str, str]
) -> None:
    assert post(conversation, cast.agent, next_key="k2", **form) == 200
    with pytest.raises(drafts.DraftChanged):
        _draft(cast.agent, conversation, "It comes to")
    assert not Draft.objects.exclude(text="").exists()
