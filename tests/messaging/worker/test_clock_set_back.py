"""This host's clock is set back by a day: nothing waits for it to come round again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.delivering import outbox
from messaging.models import Conversation, Message, SendAttempt, Typing
from messaging.receiving import inbound
from messaging.reply_window.pace import pace_of
from messaging.replying import typing_sign
from sessions_app.database.waits import LONGEST_WAIT, is_over
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from sessions_app.sessions.health import health_of
from tests.messaging.builders import answer, make_session, receive, text_message
from tests.replies import send_reply

DAY = timedelta(days=1)
LINA = "lina@im.wechat"


@pytest.fixture
def session(db: None) -> Session:
    leases.register("w1")
    made = make_session()
    receive(made, text_message("hello", sender=LINA, context_token="first"))
    return made


@pytest.fixture
def reply(session: Session) -> Message:
    thread = Conversation.objects.get()
    return send_reply(user=None, conversation=thread, text="hi", draft_key="hi")


def _claimed() -> list[str]:
    return [claim.text for claim in outbox.claim_next("w1", limit=10)]


def test_a_wait_is_over_when_its_time_has_come_or_is_out_of_reach() -> None:
    now = timezone.now()
    times = (None, now, now + timedelta(hours=1), now + LONGEST_WAIT + timedelta(seconds=1))
    assert [is_over(one, now) for one in times] == [True, True, False, True]


@pytest.mark.parametrize("column", ["next_try_at", "release_at"])
def test_a_reply_that_waits_some_seconds_does_not_wait_a_day(reply: Message, column: str) -> None:
    Message.objects.filter(pk=reply.pk).update(**{column: timezone.now() + timedelta(seconds=30)})
    assert _claimed() == []
    Message.objects.filter(pk=reply.pk).update(**{column: timezone.now() + DAY})
    assert _claimed() == ["hi"]


def test_a_throttle_ends(session: Session, reply: Message) -> None:
    then = timezone.now() + DAY
    Session.objects.filter(pk=session.pk).update(throttled_at=then, throttled_until=then)
    assert _claimed() == ["hi"]


def test_a_doubt_of_tomorrow_holds_no_reply(session: Session, reply: Message) -> None:
    Session.objects.filter(pk=session.pk).update(doubted_at=timezone.now())
    assert _claimed() == []
    Session.objects.filter(pk=session.pk).update(doubted_at=timezone.now() + DAY)
    assert _claimed() == ["hi"]


def test_what_was_sent_tomorrow_counts_for_no_pace(session: Session, reply: Message) -> None:
    tomorrow = timezone.now() + DAY
    for number in range(12):
        SendAttempt.objects.create(message=reply, client_id=f"c{number}", started_at=tomorrow)
    assert _claimed() == ["hi"]
    pace = pace_of(
        [tomorrow] * 12,
        refused_at=tomorrow,
        now=timezone.now(),
        count=12,
        span=timedelta(minutes=5),
    )
    assert (pace.sent, pace.opens_at) == (0, None)


def test_a_typing_sign_of_tomorrow_is_ended(session: Session) -> None:
    thread, now = Conversation.objects.get(), timezone.now()
    typing_sign.show(thread, session.pk)
    Typing.objects.update(wanted_until=now + DAY, shown_at=now + DAY)
    [sign] = typing_sign.claim_due(now)
    assert not sign.on


def _stored(session: Session, token: str, *, written: datetime, received: datetime) -> None:
    wire = text_message(
        token, sender=LINA, context_token=token, create_time_ms=int(written.timestamp() * 1000)
    )
    came = answer(session, [wire])
    inbound.store([type(came)(came.session_id, came.generation, "", came.updates, received)])


def test_a_newer_message_s_token_is_taken_though_it_came_yesterday(session: Session) -> None:
    now = timezone.now()
    _stored(session, "second", written=now + timedelta(minutes=1), received=now - DAY)
    context = Context.objects.get()
    assert context.token == "second"
    assert context.received_at <= now
    _stored(session, "older", written=now - timedelta(hours=1), received=now - DAY)
    assert Context.objects.get().token == "second"


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ({"errors_in_row": 3, "error_code": "unreachable"}, "failing"),
        ({"errors_in_row": 0}, "connected"),
    ],
)
def test_a_session_that_fails_now_is_not_well_because_it_was_tomorrow(
    session: Session, evidence: dict[str, Any], state: str
) -> None:
    now = timezone.now()
    Session.objects.filter(pk=session.pk).update(
        last_poll_at=now + DAY, state_since=now + DAY, failed_at=now, **evidence
    )
    assert health_of(Session.objects.get(pk=session.pk), now=now).state == state
