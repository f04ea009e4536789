"""WeChat's third limit: so many in so many minutes to one person, then the queue waits."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.models import Conversation, Message, SendAttempt
from messaging.reply_window.pace import pace_of, pace_with
from messaging.replying import sending
from sessions_app.models import Session
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import TeamSettings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
SPAN = timedelta(minutes=5)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=one) for one in minutes]


def pace(sends: list[datetime], refused_at: datetime | None = None, count: int = 3):  # type: ignore[no-untyped-def]
    return pace_of(sends, refused_at=refused_at, now=NOW, count=count, span=SPAN)


def test_below_the_limit_nothing_waits() -> None:
    assert pace(minutes_ago(1, 2)).opens_at is None
    assert pace(minutes_ago(1, 2, 6, 7, 8)).opens_at is None


def test_at_the_limit_it_opens_when_the_oldest_that_counts_is_past() -> None:
    assert pace(minutes_ago(1, 2, 3)).opens_at == NOW + timedelta(minutes=2)
    assert pace(minutes_ago(0.5, 1, 2, 4)).opens_at == NOW + timedelta(minutes=3)


def test_a_refusal_for_the_pace_asks_for_quiet_minutes() -> None:
    assert pace([], NOW - timedelta(minutes=2)).opens_at == NOW + timedelta(minutes=4)
    assert pace([], NOW - timedelta(minutes=6)).opens_at is None


def test_it_is_shown_only_when_near() -> None:
    assert not pace(minutes_ago(1) * 8, count=12).near
    assert pace(minutes_ago(1) * 9, count=12).near


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    leases.register("w1")
    return Conversation.objects.get()


def _tries(message: Message, count: int, outcome: str = "sent") -> None:
    SendAttempt.objects.bulk_create(
        SendAttempt(message=message, client_id=f"{outcome}-{number}", outcome=outcome)
        for number in range(count)
    )


def _queued(conversation: Conversation, cast: Cast, key: str = "k") -> Message:
    return send_reply(user=cast.agent, conversation=conversation, text="on", draft_key=key)


@pytest.mark.django_db
def test_over_the_pace_a_reply_waits_and_says_until_when(
    cast: Cast, conversation: Conversation
) -> None:
    message = _queued(conversation, cast)
    _tries(message, 12)
    version = message.version
    assert outbox.claim_next("w1", limit=5) == []
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("queued", "pace")
    assert message.next_try_at is not None
    assert message.version > version  # the pages are told
    wait = (message.next_try_at - timezone.now()).total_seconds()
    assert 290 < wait <= 300


@pytest.mark.django_db
def test_it_goes_by_itself_when_the_pace_opens(cast: Cast, conversation: Conversation) -> None:
    message = _queued(conversation, cast)
    _tries(message, 12)
    outbox.claim_next("w1", limit=5)
    long_ago = timezone.now() - timedelta(minutes=7)
    SendAttempt.objects.update(started_at=long_ago)
    Message.objects.update(next_try_at=long_ago)
    assert [claim.message_id for claim in outbox.claim_next("w1", limit=5)] == [message.pk]


@pytest.mark.django_db
def test_send_now_overrules_our_count(cast: Cast, conversation: Conversation) -> None:
    message = _queued(conversation, cast)
    _tries(message, 12)
    with pytest.raises(ReplyError):
        sending.send_now(message=message, user=cast.agent)  # nothing waits yet
    outbox.claim_next("w1", limit=5)
    sending.send_now(message=message, user=cast.agent)
    assert [claim.message_id for claim in outbox.claim_next("w1", limit=5)] == [message.pk]


@pytest.mark.django_db
def test_tries_from_which_no_byte_left_do_not_count(cast: Cast, conversation: Conversation) -> None:
    message = _queued(conversation, cast)
    _tries(message, 20, "not_reached")
    found = pace_with(
        conversation_id=conversation.pk,
        session_id=message.session_id,
        now=timezone.now(),
        limits=TeamSettings(),
    )
    assert (found.sent, found.opens_at) == (0, None)
