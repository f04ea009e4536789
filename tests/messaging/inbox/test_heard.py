"""Whom an open page tells its reader of: who wrote since its numbers, and what makes no noise."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.inbox import list_counts
from messaging.inbox.heard import heard_since
from messaging.models import Conversation, Message
from sessions_app.models import Session, SessionState, User
from sessions_app.realtime.numbers import live_numbers
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ago_ms(minutes: float) -> int:
    return int((timezone.now() - timedelta(minutes=minutes)).timestamp() * 1000)


def test_who_wrote_since_the_pages_numbers_is_told_once_per_person(
    cast: Cast, shop: Session
) -> None:
    receive(shop, text_message("old news", sender="a@im.wechat"))
    since = live_numbers(cast.agent)
    assert heard_since(cast.agent, since) == []
    receive(shop, text_message("one", sender="b@im.wechat"))
    receive(shop, text_message("two", sender="c@im.wechat"))
    receive(shop, text_message("three", sender="b@im.wechat"))
    told = heard_since(cast.agent, since)
    assert [one.text for one in told] == ["two", "three"]
    assert [one.session_name for one in told] == ["Shop A", "Shop A"]
    assert told[0].message_id < told[1].message_id == Message.objects.latest("id").pk


@pytest.mark.parametrize(("minutes", "told"), [(9.5, 1), (10.5, 0)])
def test_what_was_written_more_than_ten_minutes_ago_makes_no_noise(
    cast: Cast, shop: Session, minutes: float, told: int
) -> None:
    since = live_numbers(cast.agent)
    receive(shop, text_message("late", create_time_ms=ago_ms(minutes)))
    assert Conversation.objects.get().unread == 1
    assert len(heard_since(cast.agent, since)) == told


def test_what_a_colleague_answered_and_our_own_words_are_no_news(cast: Cast, shop: Session) -> None:
    since = live_numbers(cast.agent)
    receive(shop, text_message("hello"))
    conversation = Conversation.objects.get()
    send_reply(user=cast.supervisor, conversation=conversation, text="hi", draft_key="1")
    assert heard_since(cast.agent, since) == []


def test_only_teams_of_ones_own_are_heard(cast: Cast, shop: Session) -> None:
    receive(shop, text_message("hello"))
    for user, count in ((cast.viewer, 1), (cast.agent_elsewhere, 0), (cast.outsider, 0)):
        assert len(heard_since(user, dict.fromkeys(live_numbers(user), 0))) == count


def test_every_live_page_is_told_and_an_operator_is_not(cast: Cast, shop: Session) -> None:
    numbers = ",".join(f"{key}:{number}" for key, number in live_numbers(cast.supervisor).items())
    receive(shop, text_message("hello <b>", sender="b@im.wechat"))
    message = Message.objects.get()
    for page in ("/inbox/changes/", "/inbox/told/", "/sessions/-/changes/"):
        answer = as_(cast.supervisor).get(page, {"since": numbers}).content.decode()
        assert f'data-heard="{message.pk}"' in answer, page
        assert 'data-text="hello &lt;b&gt;"' in answer
    board = as_(cast.operator).get("/sessions/-/changes/", {"since": numbers}).content.decode()
    assert "data-heard" not in board
    assert as_(cast.operator).get("/inbox/told/").status_code == 403


def test_a_page_knows_the_newest_message_it_was_drawn_after(cast: Cast, shop: Session) -> None:
    receive(shop, text_message("hello"))
    page = as_(cast.agent).get("/account/").content.decode()
    known = re.search(r'data-newest-message="(\d+)"', page)
    assert known is not None
    assert int(known[1]) == Message.objects.get().pk


# How many wait for me


def test_the_count_is_of_those_who_wait_for_this_person(cast: Cast, shop: Session) -> None:
    receive(shop, *(text_message("hello", sender=f"p{number}@im.wechat") for number in range(6)))
    mine, theirs, answered, late, resolved, _nobodys = Conversation.objects.order_by("pk")
    rows = Conversation.objects.filter
    rows(pk=mine.pk).update(assignee=cast.agent)
    rows(pk=theirs.pk).update(assignee=cast.supervisor)
    send_reply(user=cast.agent, conversation=answered, text="hi", draft_key="1")
    rows(pk=late.pk).update(closes_at=timezone.now())
    rows(pk=resolved.pk).update(status="resolved")

    def waiting(user: User) -> int:
        return list_counts.counts(user, now=timezone.now()).waiting

    assert [waiting(one) for one in (cast.agent, cast.supervisor, cast.viewer)] == [2, 2, 1]
    assert waiting(cast.agent_elsewhere) == 0
    assert "<title>(2) Inbox" in as_(cast.agent).get("/inbox/").content.decode()
    assert "<title>Inbox" in as_(cast.viewer).get("/inbox/").content.decode()


def test_nobody_waits_who_cannot_be_answered_now(cast: Cast, shop: Session) -> None:
    receive(shop, text_message("hello"))
    page = as_(cast.agent).get("/inbox/").content.decode()
    assert "<title>(1) Inbox" in page
    Session.objects.update(state=SessionState.EXPIRED)
    page = as_(cast.agent).get("/inbox/").content.decode()
    assert "<title>Inbox" in page
    assert 'data-waiting=""' in page
