"""Replies and decisions in the inbox: one message per draft, refusals in words, ways out."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.conversations import work
from messaging.delivering import outbox
from messaging.models import Conversation, Message
from messaging.replying import services
from sessions_app.models import Context, Session, User
from sessions_app.realtime.streams import numbers_of
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

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
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("我的包裹在哪里？"))
    return Conversation.objects.get()


def reply_to(
    conversation: Conversation, user: User, text: str = "今天送到", key: str = "", **form: str
) -> tuple[int, str]:
    values = {"text": text, "draft_key": key or uuid.uuid4().hex, **form}
    answer = as_(user).post(f"/inbox/{conversation.pk}/reply/", values, headers=HTMX)
    return answer.status_code, answer.content.decode()


# Replies


def test_a_reply_is_queued_and_shown_with_a_fresh_draft(
    cast: Cast, conversation: Conversation
) -> None:
    status, page = reply_to(conversation, cast.agent, key="k" * 32)
    assert status == 200
    message = Message.objects.get(direction="out")
    assert (message.status, message.sent_by) == ("queued", cast.agent)
    key = re.search(r'data-draft-key="([0-9a-f]{32})"', page)
    assert key is not None
    assert key[1] != "k" * 32


def test_a_double_click_is_one_message(cast: Cast, conversation: Conversation) -> None:
    for _ in range(2):
        assert reply_to(conversation, cast.agent, key="same")[0] == 200
    assert Message.objects.filter(direction="out").count() == 1


def test_replying_works_without_javascript(cast: Cast, conversation: Conversation) -> None:
    form = {"text": "好的", "draft_key": "a"}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form, follow=True)
    assert answer.redirect_chain[-1][0] == f"/inbox/{conversation.pk}/"
    assert "好的" in answer.content.decode()


def test_a_refused_reply_keeps_its_text_without_javascript(
    cast: Cast, conversation: Conversation
) -> None:
    text = "字" * 6_000
    form = {"text": text, "draft_key": "a"}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form)
    assert answer.status_code == 422
    assert f">{text}</textarea>" in answer.content.decode()
    assert 'value="a"' in answer.content.decode()


@pytest.mark.parametrize(("text", "words"), [("  ", "Write something"), ("字" * 6_000, "16,384")])
def test_a_text_that_cannot_go_is_refused_in_the_form(
    cast: Cast, conversation: Conversation, text: str, words: str
) -> None:
    status, page = reply_to(conversation, cast.agent, text=text)
    assert status == 422
    assert words in page
    assert "Send anyway" not in page


def test_a_closed_window_offers_the_other_session_and_to_send_anyway(
    cast: Cast, conversation: Conversation
) -> None:
    yesterday = timezone.now() - timedelta(hours=25)
    receive(make_session("Repairs"), text_message("hi"), cursor="r1")
    Context.objects.filter(session__name="Repairs").update(received_at=timezone.now())
    Context.objects.filter(session__name="Shop A").update(received_at=yesterday)
    Context.objects.filter(session__name="Repairs").update(replies_used=10)
    status, page = reply_to(conversation, cast.agent)
    assert status == 422
    assert "Send anyway" in page
    Context.objects.filter(session__name="Shop A").update(
        received_at=yesterday + timedelta(hours=9)
    )
    status, page = reply_to(conversation, cast.agent)
    assert status == 422
    assert 'name="session_name" value="Shop A"' in page
    assert reply_to(conversation, cast.agent, session_name="Shop A")[0] == 200
    assert reply_to(conversation, cast.agent, override="1")[0] == 200
    sent = Message.objects.filter(direction="out").order_by("id")
    assert [(one.session.name, one.overrides_limits) for one in sent] == [
        ("Shop A", False),
        ("Repairs", True),
    ]


def test_a_named_session_that_is_spent_can_be_overruled_by_its_name(
    cast: Cast, conversation: Conversation
) -> None:
    receive(make_session("Repairs"), text_message("hi"), cursor="r1")
    Context.objects.filter(session__name="Shop A").update(replies_used=10)
    status, page = reply_to(conversation, cast.agent, session_name="Shop A")
    assert status == 422
    assert 'name="override_as" value="Shop A"' in page
    assert reply_to(conversation, cast.agent, override_as="Shop A")[0] == 200
    assert Message.objects.get(direction="out").session.name == "Shop A"


# Decisions


def _sent(conversation: Conversation, agent: User, **columns: object) -> Message:
    reply_to(conversation, agent)
    Message.objects.filter(direction="out").update(**columns)
    return Message.objects.get(direction="out")


def test_a_queued_reply_can_be_cancelled(cast: Cast, conversation: Conversation) -> None:
    message = _sent(conversation, cast.agent)
    as_(cast.agent).post(f"/inbox/messages/{message.pk}/cancel/")
    message.refresh_from_db()
    assert message.status == "cancelled"


@pytest.mark.parametrize(
    ("action", "status"), [("retry", "queued"), ("discard", "failed"), ("send-anyway", "queued")]
)
def test_a_failed_reply_is_sent_again_or_discarded(
    cast: Cast, conversation: Conversation, action: str, status: str
) -> None:
    message = _sent(
        conversation, cast.agent, status="failed", holds_queue=True, error_code="refused"
    )
    as_(cast.agent).post(f"/inbox/messages/{message.pk}/{action}/")
    message.refresh_from_db()
    assert (message.status, message.holds_queue) == (status, False)


def test_a_broken_line_is_decided_and_a_second_decision_is_answered_in_words(
    cast: Cast, conversation: Conversation
) -> None:
    message = _sent(
        conversation, cast.agent, status="unconfirmed", holds_queue=True, error_code="line_broken"
    )
    client, page = as_(cast.agent), f"/inbox/messages/{message.pk}/arrived/"
    shown = client.get(f"/inbox/{conversation.pk}/").content.decode()
    assert "The connection broke while sending. The reply may have arrived." in shown
    assert client.post(page, headers=HTMX).status_code == 200
    message.refresh_from_db()
    assert message.status == "sent"
    late = client.post(page, headers=HTMX)
    assert late.status_code == 422
    assert b"Somebody has already decided" in late.content


def test_a_reply_that_waits_for_a_decision_is_on_the_row(
    cast: Cast, conversation: Conversation
) -> None:
    _sent(conversation, cast.agent, status="failed", holds_queue=True, error_code="refused")
    assert b"1 not sent" in as_(cast.agent).get("/inbox/").content


def test_a_reply_behind_it_says_so_and_leads_there_until_it_is_decided(
    cast: Cast, conversation: Conversation
) -> None:
    first = _sent(conversation, cast.agent)
    leases.register("w1")
    (claim,) = outbox.claim_next("w1", limit=1)
    outbox.mark_refused(claim, wire_code=-1, detail="no")
    reply_to(conversation, cast.agent, "and one more")
    client, address = as_(cast.agent), f"/inbox/{conversation.pk}/"
    page = client.get(address).content.decode()
    link = f'href="{address}?around={first.pk}#message-{first.pk}" data-jumps-to="{first.pk}"'
    assert link in " ".join(page.split())
    assert "waits for your decision about the reply above" in page
    for view in ("needs_reply", "not_sent"):
        row = client.get(f"/inbox/?view={view}").content.decode()
        assert f'id="conversation-{conversation.pk}"' in row, view
        assert "2 not sent" in row
    since = numbers_of([conversation.team.stream_key])[conversation.team.stream_key]
    client.post(f"/inbox/messages/{first.pk}/discard/")
    asked = f"/inbox/changes/?since={conversation.team.stream_key}:{since}&open={conversation.pk}"
    news = client.get(asked, headers=HTMX).content.decode()
    held = Message.objects.get(text="and one more")
    assert f'id="message-{held.pk}"' in news, "the held one is drawn anew"
    assert "waits for your decision" not in news
    for view in ("needs_reply", "not_sent"):
        row = client.get(f"/inbox/?view={view}").content.decode()
        assert f'id="conversation-{conversation.pk}"' not in row, view


@pytest.mark.parametrize(("action", "status"), [("retry", "queued"), ("arrived", "sent")])
def test_a_missing_receipt_waits_for_a_decision_where_receipts_were_usual(
    cast: Cast, shop: Session, conversation: Conversation, action: str, status: str
) -> None:
    leases.register("w1")
    for wire_id in ("7", None):
        message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="")
        (claim,) = outbox.claim_next("w1", limit=1)
        outbox.mark_sent(claim, wire_id=wire_id)
    client = as_(cast.agent)
    page = client.get(f"/inbox/{conversation.pk}/?view=not_sent").content.decode()
    assert "WeChat accepted it but gave no receipt. It may not have arrived." in page
    assert "may get it twice" in page
    assert "1 without receipt" in page
    client.post(f"/inbox/messages/{message.pk}/{action}/")
    message.refresh_from_db()
    assert (message.status, message.missing_receipt) == (status, False)
    assert "1 without receipt" not in client.get("/inbox/").content.decode()
    late = client.post(f"/inbox/messages/{message.pk}/arrived/", headers=HTMX)
    assert late.status_code == 422


def test_a_missing_receipt_is_no_answer_only_where_receipts_were_usual(
    cast: Cast, shop: Session, conversation: Conversation
) -> None:
    leases.register("w1")
    _sent(conversation, cast.agent)
    (claim,) = outbox.claim_next("w1", limit=1)
    outbox.mark_sent(claim, wire_id=None)
    conversation.refresh_from_db()
    assert (conversation.waiting_since, conversation.not_sent) == (None, 0)


def test_one_that_goes_again_waits_for_one_that_is_being_sent(
    cast: Cast, conversation: Conversation
) -> None:
    leases.register("w1")
    first = _sent(conversation, cast.agent)
    (claim,) = outbox.claim_next("w1", limit=1)
    outbox.mark_sent(claim, wire_id=None)
    send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="")
    (claim,) = outbox.claim_next("w1", limit=1)
    services.retry_message(message=first, user=cast.agent)
    assert outbox.claim_next("w1", limit=5) == []
    outbox.mark_sent(claim, wire_id="8")
    (again,) = outbox.claim_next("w1", limit=5)
    assert again.message_id == first.pk


def test_resolved_while_its_reply_was_under_way_it_is_open_again_when_that_fails(
    cast: Cast, conversation: Conversation
) -> None:
    _sent(conversation, cast.agent)
    since = Message.objects.get(direction="in").stored_at
    leases.register("w1")
    (claim,) = outbox.claim_next("w1", limit=1)
    work.resolve(ids=[conversation.pk], user=cast.agent)
    outbox.mark_refused(claim, wire_code=-1, detail="no")
    conversation.refresh_from_db()
    assert (conversation.status, conversation.waiting_since, conversation.missed_at) == (
        "open",
        since,
        None,
    )
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
    assert "Reopened: the last reply was not sent" in page
    # Whoever resolves it now has seen the failure: it stays so, missed and not sent.
    work.resolve(ids=[conversation.pk], user=cast.agent)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.not_sent) == ("resolved", 1)
    assert conversation.missed_at is not None
    assert "1 not sent" in as_(cast.agent).get("/inbox/?view=not_sent").content.decode()
