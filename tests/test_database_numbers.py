"""What `/metrics` counts in the database: accounts, polls, leases, and replies that wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from messaging.models import Message, MessageStatus
from messaging.receiving import inbound
from sessions_app.models import SessionState
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import answer, make_session, text_message
from tests.metric_lines import value_of
from tests.replies import send_reply
from weilink_site.monitoring import database_numbers, metrics_page

pytestmark = pytest.mark.django_db


def _page() -> str:
    return Client().get("/metrics").content.decode()


def test_accounts_by_state_by_lease_and_by_the_age_of_their_poll() -> None:
    leases.register("w1")
    now = timezone.now()
    for name, age_s, state, owner in (
        ("A", 5, SessionState.CONNECTED, "w1"),
        ("B", 70, SessionState.CONNECTED, "w1"),
        ("C", 500, SessionState.CONNECTED, "gone"),
        ("D", 5, SessionState.EXPIRED, ""),
    ):
        session = make_session(name)
        session.last_poll_at = session.state_since = now - timedelta(seconds=age_s)
        session.state, session.lease_owner = state, owner
        session.save()
    page = _page()
    states = {
        state: value_of(page, "weilink_sessions", state=state)
        for state in ("connected", "failing", "expired", "paused")
    }
    # C was not heard for 90 s: the state is that of the board, not that of the column.
    assert states == {"connected": 2, "failing": 1, "expired": 1, "paused": 0}
    assert value_of(page, "weilink_leases") == 2
    assert value_of(page, "weilink_sessions_without_worker") == 1
    ages = [
        value_of(page, "weilink_poll_age_seconds_bucket", le=end)
        for end in ("10.0", "60.0", "90.0", "600.0", "+Inf")
    ]
    assert ages == [1, 1, 2, 3, 3]


def test_replies_that_wait_are_counted_with_their_age(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    session = make_session()
    with django_capture_on_commit_callbacks(execute=True):
        inbound.store([answer(session, [text_message("hi"), text_message("ho", sender="b@im.x")])])
    first, second = (one.conversation for one in Message.objects.order_by("id"))
    for conversation in (first, first, second):
        send_reply(user=cast.agent, conversation=conversation, text="yes", draft_key="")
    failed, _, queued = Message.objects.filter(direction="out").order_by("id")
    old = timezone.now() - timedelta(seconds=400)
    Message.objects.filter(pk=failed.pk).update(status=MessageStatus.FAILED, holds_queue=True)
    Message.objects.filter(pk=queued.pk).update(created_at=old)
    page = _page()
    depth = {
        state: value_of(page, "weilink_outbox_messages", state=state)
        for state in ("queued", "held", "sending")
    }
    assert depth == {"queued": 1, "held": 1, "sending": 0}
    assert 400 <= value_of(page, "weilink_outbox_oldest_seconds", state="queued") < 460
    assert value_of(page, "weilink_outbox_oldest_seconds", state="held") < 60
    assert value_of(page, "weilink_replies_undecided") == 1


def test_a_scrape_takes_five_statements(django_assert_num_queries: Any) -> None:
    for number in range(4):
        make_session(f"Shop {number}")
    with django_assert_num_queries(5):
        database_numbers.count(timezone.now())


def test_without_a_database_the_page_has_the_process_own_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(now: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(metrics_page, "count", away)
    page = _page()
    assert value_of(page, "weilink_database_up") == 0
    assert value_of(page, "weilink_process_info") == 1
    assert "weilink_workers" not in page
