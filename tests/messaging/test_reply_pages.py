"""Replies and decisions in the inbox: one message per draft, refusals in words, ways out."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from sessions_app.models import Context, Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def thread(shop: Session) -> Conversation:
    receive(shop, text_message("我的包裹在哪里？"))
    return Conversation.objects.get()


def reply_to(
    thread: Conversation, user: User, text: str = "今天送到", key: str = "", **form: str
) -> tuple[int, str]:
    values = {"text": text, "draft_key": key or uuid.uuid4().hex, **form}
    answer = as_(user).post(f"/inbox/{thread.pk}/reply/", values, headers=HTMX)
    return answer.status_code, answer.content.decode()


# Replies


def test_a_reply_is_queued_and_shown_with_a_fresh_draft(cast: Cast, thread: Conversation) -> None:
    status, page = reply_to(thread, cast.agent, key="k" * 32)
    assert status == 200
    message = Message.objects.get(direction="out")
    assert (message.status, message.sent_by) == ("queued", cast.agent)
    key = re.search(r'data-draft-key="([0-9a-f]{32})"', page)
    assert key is not None
    assert key[1] != "k" * 32


def test_a_double_click_is_one_message(cast: Cast, thread: Conversation) -> None:
    for _ in range(2):
        assert reply_to(thread, cast.agent, key="same")[0] == 200
    assert Message.objects.filter(direction="out").count() == 1


def test_replying_works_without_javascript(cast: Cast, thread: Conversation) -> None:
    form = {"text": "好的", "draft_key": "a"}
    answer = as_(cast.agent).post(f"/inbox/{thread.pk}/reply/", form, follow=True)
    assert answer.redirect_chain[-1][0] == f"/inbox/{thread.pk}/"
    assert "好的" in answer.content.decode()


def test_a_refused_reply_keeps_its_text_without_javascript(
    cast: Cast, thread: Conversation
) -> None:
    text = "字" * 6_000
    form = {"text": text, "draft_key": "a"}
    answer = as_(cast.agent).post(f"/inbox/{thread.pk}/reply/", form)
    assert answer.status_code == 422
    assert f">{text}</textarea>" in answer.content.decode()
    assert 'value="a"' in answer.content.decode()


@pytest.mark.parametrize(("text", "words"), [("  ", "Write something"), ("字" * 6_000, "16,384")])
def test_a_text_that_cannot_go_is_refused_in_the_form(
    cast: Cast, thread: Conversation, text: str, words: str
) -> None:
    status, page = reply_to(thread, cast.agent, text=text)
    assert status == 422
    assert words in page
    assert "Send anyway" not in page


def test_a_closed_window_offers_the_other_session_and_to_send_anyway(
    cast: Cast, thread: Conversation
) -> None:
    yesterday = timezone.now() - timedelta(hours=25)
    receive(make_session("Repairs"), text_message("hi"), cursor="r1")
    Context.objects.filter(session__name="Repairs").update(received_at=timezone.now())
    Context.objects.filter(session__name="Shop A").update(received_at=yesterday)
    Context.objects.filter(session__name="Repairs").update(replies_used=10)
    status, page = reply_to(thread, cast.agent)
    assert status == 422
    assert "Send anyway" in page
    Context.objects.filter(session__name="Shop A").update(
        received_at=yesterday + timedelta(hours=9)
    )
    status, page = reply_to(thread, cast.agent)
    assert status == 422
    assert 'name="session_name" value="Shop A"' in page
    assert reply_to(thread, cast.agent, session_name="Shop A")[0] == 200
    assert reply_to(thread, cast.agent, override="1")[0] == 200
    sent = Message.objects.filter(direction="out").order_by("id")
    assert [(one.session.name, one.overrides_limits) for one in sent] == [
        ("Shop A", False),
        ("Repairs", True),
    ]


def test_a_named_session_that_is_spent_can_be_overruled_by_its_name(
    cast: Cast, thread: Conversation
) -> None:
    receive(make_session("Repairs"), text_message("hi"), cursor="r1")
    Context.objects.filter(session__name="Shop A").update(replies_used=10)
    status, page = reply_to(thread, cast.agent, session_name="Shop A")
    assert status == 422
    assert 'name="override_as" value="Shop A"' in page
    assert reply_to(thread, cast.agent, override_as="Shop A")[0] == 200
    assert Message.objects.get(direction="out").session.name == "Shop A"


# Decisions


def _sent(thread: Conversation, agent: User, **columns: object) -> Message:
    reply_to(thread, agent)
    Message.objects.filter(direction="out").update(**columns)
    return Message.objects.get(direction="out")


def test_a_queued_reply_can_be_cancelled(cast: Cast, thread: Conversation) -> None:
    message = _sent(thread, cast.agent)
    as_(cast.agent).post(f"/inbox/messages/{message.pk}/cancel/")
    message.refresh_from_db()
    assert message.status == "cancelled"


@pytest.mark.parametrize(
    ("action", "status"), [("retry", "queued"), ("discard", "failed"), ("send-anyway", "queued")]
)
def test_a_failed_reply_is_sent_again_or_discarded(
    cast: Cast, thread: Conversation, action: str, status: str
) -> None:
    message = _sent(thread, cast.agent, status="failed", holds_queue=True, error_code="refused")
    as_(cast.agent).post(f"/inbox/messages/{message.pk}/{action}/")
    message.refresh_from_db()
    assert (message.status, message.holds_queue) == (status, False)


def test_a_broken_line_is_decided_and_a_second_decision_is_answered_in_words(
    cast: Cast, thread: Conversation
) -> None:
    message = _sent(
        thread, cast.agent, status="unconfirmed", holds_queue=True, error_code="line_broken"
    )
    client, page = as_(cast.agent), f"/inbox/messages/{message.pk}/arrived/"
    shown = client.get(f"/inbox/{thread.pk}/").content.decode()
    assert "The line broke while sending. It may have arrived." in shown
    assert client.post(page, headers=HTMX).status_code == 200
    message.refresh_from_db()
    assert message.status == "sent"
    late = client.post(page, headers=HTMX)
    assert late.status_code == 422
    assert b"Somebody decided" in late.content


def test_a_reply_that_waits_for_a_decision_is_on_the_row(cast: Cast, thread: Conversation) -> None:
    _sent(thread, cast.agent, status="failed", holds_queue=True, error_code="refused")
    assert b"1 not sent" in as_(cast.agent).get("/inbox/").content
