"""The queue of replies: in order, one at a time per person, nothing repeated that may have left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.conversations.errors import DraftAlreadyUsed, ReplyError
from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, SendAttempt
from messaging.receiving import doubts
from messaging.replying import services
from messaging.replying.reasons import reason_of
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import leases
from sessions_app.sessions import services as session_services
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    leases.register("w1")
    return make_session()


@pytest.fixture
def conversation(session: Session) -> Conversation:
    receive(session, text_message("hello"))
    return Conversation.objects.get()


def _send(conversation: Conversation, text: str, key: str = "") -> Message:
    return send_reply(user=None, conversation=conversation, text=text, draft_key=key or text)


def _claims() -> list[Claim]:
    return outbox.claim_next("w1", limit=10)


def _used() -> int:
    return Context.objects.get().replies_used


def test_a_reply_is_queued_counted_and_claimed_as_sending(conversation: Conversation) -> None:
    message = _send(conversation, "hi")
    assert (message.status, _used()) == ("queued", 1)

    [claim] = _claims()

    message.refresh_from_db()
    assert (message.status, message.client_id) == ("sending", claim.client_id)
    assert SendAttempt.objects.get().client_id == claim.client_id
    assert (claim.text, claim.to_user_id) == ("hi", "lina@im.wechat")


def test_one_at_a_time_and_in_order(conversation: Conversation) -> None:
    for text in ("one", "two", "three"):
        _send(conversation, text)

    sent = []
    while claims := _claims():
        assert len(claims) == 1
        outbox.mark_sent(claims[0], wire_id="7")
        sent.append(claims[0].text)
    assert sent == ["one", "two", "three"]


def test_people_do_not_wait_for_each_other(session: Session, conversation: Conversation) -> None:
    receive(session, text_message("hello", sender="tom@im.wechat"))
    _send(conversation, "to Li Na")
    _send(Conversation.objects.get(contact__user_id="tom@im.wechat"), "to Tom")
    assert {claim.text for claim in _claims()} == {"to Li Na", "to Tom"}


def test_an_answer_with_an_id_is_taken_without_one_there_is_no_receipt(
    conversation: Conversation,
) -> None:
    first, second = _send(conversation, "one"), _send(conversation, "two")
    outbox.mark_sent(_claims()[0], wire_id="7501")
    outbox.mark_sent(_claims()[0], wire_id=None)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.wire_id) == ("sent", "7501")
    assert (second.status, second.error_code, second.holds_queue) == ("unconfirmed", "no_id", False)


def test_a_refused_one_stays_counted_and_holds_the_next(conversation: Conversation) -> None:
    first = _send(conversation, "one")
    _send(conversation, "two")
    outbox.mark_refused(_claims()[0], wire_code=-2, detail="")

    first.refresh_from_db()
    assert (first.status, first.error_code, _used()) == ("failed", "no_reason", 2)
    assert _claims() == []

    services.discard_message(message=first, user=None)
    assert [claim.text for claim in _claims()] == ["two"]


def test_a_broken_line_is_never_repeated_by_itself(conversation: Conversation) -> None:
    message = _send(conversation, "one")
    outbox.mark_broken(_claims()[0], detail="reset")

    message.refresh_from_db()
    assert (message.status, message.error_code) == ("unconfirmed", "line_broken")
    assert (_claims(), _used()) == ([], 1)


def test_send_again_sends_once_more_with_a_new_client_id(conversation: Conversation) -> None:
    message = _send(conversation, "one")
    [first] = _claims()
    outbox.mark_broken(first, detail="reset")
    services.retry_message(message=message, user=None)
    with pytest.raises(ReplyError):
        services.retry_message(message=message, user=None)

    [second] = _claims()
    assert second.client_id != first.client_id
    assert _used() == 2


def test_what_arrived_after_all_is_marked_and_releases_the_next(conversation: Conversation) -> None:
    message = _send(conversation, "one")
    _send(conversation, "two")
    outbox.mark_broken(_claims()[0], detail="reset")
    message.refresh_from_db()
    services.mark_arrived(message=message, user=None)

    message.refresh_from_db()
    assert message.status == "sent"
    assert [claim.text for claim in _claims()] == ["two"]


def test_no_byte_left_goes_back_and_in_the_end_fails_uncounted(conversation: Conversation) -> None:
    message = _send(conversation, "one")
    for _ in range(len(outbox.RETRY_S)):
        [claim] = _claims()
        outbox.put_back(claim, code="not_reached", detail="")
        message.refresh_from_db()
        assert message.status == "queued"
        assert message.next_try_at is not None
        assert message.next_try_at > timezone.now()
        assert _claims() == []
        Message.objects.update(next_try_at=timezone.now())
    [claim] = _claims()
    outbox.put_back(claim, code="not_reached", detail="")

    message.refresh_from_db()
    assert (message.status, message.error_code, _used()) == ("failed", "not_reached", 0)


def test_a_cancelled_one_gives_its_count_back(conversation: Conversation) -> None:
    message = _send(conversation, "one")
    services.cancel_message(message=message, user=None)

    message.refresh_from_db()
    conversation.refresh_from_db()
    assert (message.status, _used(), conversation.replies_used) == ("cancelled", 0, 0)
    with pytest.raises(ReplyError):
        services.cancel_message(message=message, user=None)


def test_what_a_lost_worker_was_sending_is_unconfirmed_never_queued(
    conversation: Conversation,
) -> None:
    message = _send(conversation, "one")
    _claims()
    assert outbox.disown_lost() == 0
    leases.retire("w1")
    assert outbox.disown_lost() == 1

    message.refresh_from_db()
    assert (message.status, message.error_code) == ("unconfirmed", "worker_lost")


def test_the_same_draft_is_one_message(conversation: Conversation) -> None:
    first = _send(conversation, "hi", key="draft")
    assert _send(conversation, "hi", key="draft").pk == first.pk
    assert _used() == 1
    with pytest.raises(DraftAlreadyUsed):
        _send(conversation, "something else", key="draft")


def test_a_window_that_closed_in_the_queue_fails_before_a_byte_leaves(
    conversation: Conversation,
) -> None:
    message = _send(conversation, "one")
    Context.objects.update(received_at=timezone.now() - timedelta(hours=25))
    assert _claims() == []

    message.refresh_from_db()
    assert (message.status, message.error_code, _used()) == ("failed", "window_closed", 0)


def test_paused_stops_polling_not_sending(session: Session, conversation: Conversation) -> None:
    session_services.set_paused(session=session, paused=True, user=None)
    _send(conversation, "one")
    assert len(_claims()) == 1


def test_a_signed_out_session_takes_no_reply(session: Session, conversation: Conversation) -> None:
    Session.objects.update(state="expired")
    with pytest.raises(ReplyError) as refused:
        _send(conversation, "one")
    assert refused.value.code == "session_offline"


def test_a_refusal_with_minus_14_is_a_suspicion_that_holds_the_others(
    session: Session, conversation: Conversation
) -> None:
    first = _send(conversation, "one")
    outbox.mark_refused(_claims()[0], wire_code=-14, detail="session timeout")
    session.refresh_from_db()
    assert (session.state, session.doubted_at is not None) == ("connected", True)
    services.discard_message(message=first, user=None)
    _send(conversation, "two")
    assert _claims() == []
    doubts.end(session.pk, session.generation)
    assert [claim.text for claim in _claims()] == ["two"]


def test_a_verdict_against_the_session_is_what_the_reply_says(
    session: Session, conversation: Conversation
) -> None:
    first, second = _send(conversation, "one"), _send(conversation, "two")
    outbox.mark_refused(_claims()[0], wire_code=-14, detail="session timeout")
    first.refresh_from_db()
    assert (first.status, first.error_code) == ("failed", "in_doubt")
    with announcing() as change:
        doubts.expire(change, session.pk, session.generation)
    services.discard_message(message=first, user=None)
    assert _claims() == []
    for message in (first, second):
        message.refresh_from_db()
        assert (message.status, message.error_code) == ("failed", "session_offline")
        assert (
            reason_of(message)
            == f"“{session.name}” is signed out; its QR code must be scanned again"
        )


def test_the_eleventh_is_refused_and_may_be_sent_anyway(conversation: Conversation) -> None:
    for number in range(10):
        _send(conversation, f"reply {number}")
    with pytest.raises(ReplyError) as refused:
        _send(conversation, "eleven")
    assert refused.value.code == "quota_exhausted"
    send_reply(user=None, conversation=conversation, text="eleven", draft_key="11", override=True)
    assert _used() == 11


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "字" * 5462])
def test_nothing_to_send_and_too_much_are_said(conversation: Conversation, text: str) -> None:
    with pytest.raises(ReplyError):
        _send(conversation, text, key="k")
    assert not Message.objects.filter(direction="out").exists()


def test_two_sessions_of_a_team_are_one_thread_and_the_named_one_sends(
    session: Session, conversation: Conversation
) -> None:
    other = make_session("Repairs")
    receive(other, text_message("to repairs"))
    assert Conversation.objects.count() == 1
    message = send_reply(
        user=None, conversation=conversation, text="hi", draft_key="1", session_name="Shop A"
    )
    assert message.session == session
