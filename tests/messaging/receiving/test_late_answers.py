"""What comes late or twice: receipts after a take-over, echoes after a retry, a newer token."""

from typing import Any

import pytest

from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message
from messaging.receiving import inbound
from messaging.replying import services
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from tests.messaging.builders import answer, make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db
LINA = "lina@im.wechat"


@pytest.fixture
def session() -> Session:
    leases.register("w1")
    made = make_session()
    receive(made, text_message("hello"))
    return made


def _claimed(session: Session) -> Claim:
    conversation = Conversation.objects.get()
    send_reply(user=None, conversation=conversation, text="yo", draft_key="k")
    return _claim()


def _claim() -> Claim:
    [claim] = outbox.claim_next("w1", limit=5)
    return claim


def _echo(client_id: str, **changes: Any) -> dict[str, Any]:
    return text_message("yo", message_type=2, to_user_id=LINA, client_id=client_id, **changes)


def _sent() -> Message:
    return Message.objects.get(text="yo")


def _used() -> tuple[int, int]:
    """The context's count and the thread's copy of it."""
    return Context.objects.get().replies_used, Conversation.objects.get().replies_used


def _disown() -> None:
    leases.retire("w1")
    assert outbox.disown_lost() == 1


def test_an_echo_swallows_no_message_of_another_session_with_its_id(session: Session) -> None:
    other = make_session("Shop B")
    claim = _claimed(session)
    precious = text_message("precious", sender="tom@im.wechat", message_id=777)
    echo = _echo(claim.client_id, message_id=777)
    inbound.store([answer(session, [echo]), answer(other, [precious])])

    assert _sent().status == "sent"
    assert Message.objects.filter(text="precious", session=other).exists()


def test_another_session_s_message_with_our_client_id_settles_nothing(session: Session) -> None:
    claim = _claimed(session)
    receive(make_session("Shop B"), _echo(claim.client_id))

    assert Message.objects.get(pk=claim.message_id).status == "sending"
    assert Message.objects.filter(text="yo").count() == 2


def test_a_receipt_that_comes_after_the_worker_was_given_up_counts(session: Session) -> None:
    claim = _claimed(session)
    _disown()
    outbox.mark_sent(claim, wire_id="5")

    message = _sent()
    assert (message.status, message.wire_id, message.holds_queue) == ("sent", "5", False)
    assert message.error_code == ""


def test_a_late_receipt_changes_nothing_once_an_agent_has_decided(session: Session) -> None:
    claim = _claimed(session)
    _disown()
    services.discard_message(message=_sent(), user=None)
    outbox.mark_sent(claim, wire_id="5")
    assert _sent().status == "unconfirmed"


def test_one_that_was_given_up_and_never_left_is_failed_not_queued(session: Session) -> None:
    claim = _claimed(session)
    _disown()
    outbox.put_back(claim, code="not_reached", detail="")
    assert (_sent().status, _sent().holds_queue, _used()) == ("failed", True, (0, 0))


def test_a_worker_that_was_declared_dead_claims_nothing(session: Session) -> None:
    send_reply(user=None, conversation=Conversation.objects.get(), text="yo", draft_key="k")
    leases.retire("w1")
    assert outbox.claim_next("w1", limit=5) == []
    assert _sent().status == "queued"


@pytest.mark.parametrize("with_a_new_token", [False, True])
def test_an_echo_cancels_the_retry_that_waits(session: Session, with_a_new_token: bool) -> None:
    claim = _claimed(session)
    outbox.mark_broken(claim, detail="reset")
    services.retry_message(message=_sent(), user=None)
    assert _used() == (2, 2)
    news = [text_message("well?")] if with_a_new_token else []
    receive(session, *news, _echo(claim.client_id), cursor="c2")

    assert (_sent().status, _sent().holds_queue) == ("sent", False)
    assert _used() == ((0, 0) if with_a_new_token else (1, 1))
    assert outbox.claim_next("w1", limit=5) == []


@pytest.mark.parametrize("how", ["put_back", "hand_back"])
def test_what_goes_back_to_the_queue_counts_on_the_newer_token(session: Session, how: str) -> None:
    claim = _claimed(session)
    receive(session, text_message("again"), cursor="c2")
    assert _used() == (0, 0)
    if how == "put_back":
        outbox.put_back(claim, code="not_reached", detail="")
    else:
        outbox.hand_back(claim)
    assert (_sent().status, _used()) == ("queued", (1, 1))


def test_what_goes_back_on_the_same_token_is_counted_once(session: Session) -> None:
    outbox.hand_back(_claimed(session))
    assert _used() == (1, 1)


def test_a_count_is_not_given_back_to_a_newer_token(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", ())
    claim = _claimed(session)
    receive(session, text_message("again"), cursor="c2")
    send_reply(user=None, conversation=Conversation.objects.get(), text="two", draft_key="l")
    outbox.put_back(claim, code="not_reached", detail="")
    assert (_sent().status, _used()) == ("failed", (1, 1))
