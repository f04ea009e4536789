"""Notes and quiet lines of a thread: seen by the team, never by WeChat, the API or the counts."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from messaging.conversations import events, rows
from messaging.conversations.event_words import event_sentence
from messaging.delivering import queue
from messaging.models import Conversation, EventCode, Message
from sessions_app.models import Session
from sessions_app.people.tokens import issue_token
from sessions_app.realtime.streams import announcing
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("我的包裹在哪里？"))
    return Conversation.objects.get()


def note(conversation: Conversation, cast: Cast, text: str = "call the carrier") -> Message:
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        return events.record_note(change, locked, text=text, who=cast.agent)


def event(conversation: Conversation, code: str, **facts: object) -> Message:
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        return events.record_event(change, locked, code, **facts)  # type: ignore[arg-type]


def page(conversation: Conversation, cast: Cast) -> str:
    client = Client()
    client.force_login(cast.viewer)
    return client.get(f"/inbox/{conversation.pk}/").content.decode()


def test_a_note_and_an_event_stand_in_the_thread(cast: Cast, conversation: Conversation) -> None:
    note(conversation, cast)
    event(conversation, EventCode.ASSIGNED, who=cast.agent, detail="Mei")
    shown = page(conversation, cast)
    assert "call the carrier" in shown
    assert "wei assigned this to Mei" in shown


def test_a_note_is_numbered_and_announced_like_a_message(
    cast: Cast, conversation: Conversation
) -> None:
    before = Message.objects.get()
    made = note(conversation, cast)
    made.refresh_from_db()
    assert made.pk > before.pk
    assert made.version > before.version
    assert made.dedupe_key == f"note:{made.pk}"
    assert made.session == conversation.session


def test_neither_preview_nor_unread_nor_outbox_know_of_them(
    cast: Cast, conversation: Conversation
) -> None:
    facts = ("last_text", "last_at", "last_direction", "unread", "replies_used", "version")
    before = Conversation.objects.values(*facts).get()
    note(conversation, cast)
    event(conversation, EventCode.RESOLVED, who=cast.agent)
    assert Conversation.objects.values(*facts).get() == before
    assert not queue.ready(timezone.now()).exists()


def test_the_api_never_shows_them(cast: Cast, conversation: Conversation) -> None:
    hidden = [note(conversation, cast), event(conversation, EventCode.RESOLVED)]
    _, secret = issue_token(owner=cast.agent, name="script")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for address in ("/api/v1/messages", f"/api/v1/conversations/{conversation.pk}/messages"):
        items = client.get(address).json()["items"]
        assert [one["direction"] for one in items] == ["in"]
    for row in hidden:
        assert client.get(f"/api/v1/messages/{row.pk}").status_code == 404
        assert client.post(f"/api/v1/messages/{row.pk}/retry", {}, JSON).status_code == 404
        assert client.post(f"/api/v1/messages/{row.pk}/cancel").status_code == 404
    post = {"to": "lina@im.wechat", "text": "hi", "reply_to": str(hidden[0].pk)}
    refused = client.post("/api/v1/messages", post, JSON)
    assert refused.json()["error"]["code"] == "unknown_message"


def test_a_thread_whose_session_is_gone_keeps_its_events(conversation: Conversation) -> None:
    Conversation.objects.update(session=None)
    assert event(conversation, EventCode.WOKEN).session == Message.objects.earliest("id").session


def test_an_unknown_event_is_a_bug_and_raises(conversation: Conversation) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        event(conversation, "nonsense")


@pytest.mark.parametrize("code", EventCode.values)
def test_every_event_has_a_sentence(cast: Cast, conversation: Conversation, code: str) -> None:
    for who in (cast.agent, None):
        row = event(
            conversation, code, who=who, detail="VIP", at=datetime(2026, 11, 27, 9, tzinfo=UTC)
        )
        sentence = event_sentence(row)
        assert sentence
        assert sentence != f"{code} VIP"
        assert "%(" not in sentence


def test_times_in_a_sentence_are_the_readers(cast: Cast, conversation: Conversation) -> None:
    row = event(conversation, EventCode.SNOOZED, who=cast.agent, detail="2026-12-01T06:00:00+00:00")
    with timezone.override("Asia/Shanghai"):
        assert event_sentence(row) == "wei snoozed this until Tue 14:00"


def test_taking_a_conversation_says_so(cast: Cast, conversation: Conversation) -> None:
    row = event(conversation, EventCode.ASSIGNED, who=cast.agent, detail=cast.agent.display_name)
    assert event_sentence(row) == "wei took this conversation"
