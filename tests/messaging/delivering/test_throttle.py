"""WeChat limits a whole bot: one notice, replies held with a time, one trial, then all the rest."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.delivering import outbox, throttle
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, SendAttempt
from messaging.replying import sending
from messaging.replying.reasons import reason_of
from messaging.replying.states import state_of
from sessions_app.models import Context, Session
from sessions_app.sessions import leases, services
from tests.api.callers import calling
from tests.conftest import Cast, Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

SEND = "/ilink/bot/sendmessage"
PEOPLE = [f"guest-{number:02}@im.wechat" for number in range(12)]


def _reply(person: str, text: str = "hello") -> Message:
    conversation = Conversation.objects.get(contact__user_id=person)
    return send_reply(user=None, conversation=conversation, text=text, draft_key=person + text)


def _fates() -> dict[str, int]:
    counted: dict[str, int] = {}
    for status, code in Message.objects.filter(direction="out").values_list("status", "error_code"):
        counted[f"{status} {code}".strip()] = counted.get(f"{status} {code}".strip(), 0) + 1
    return counted


def _is_calm() -> bool:
    return not {"queued", "sending"} & _fates().keys()


async def _twelve_customers(running: Running) -> Session:
    session = await running.scan("Shop A")
    for person in PEOPLE:
        running.control.write(session.bot_id, person, "hello")
    await until(lambda: Conversation.objects.count() == len(PEOPLE), "received")
    return session


def _reply_to_all() -> None:
    for person in PEOPLE:
        _reply(person)


def _the_time_has_come(session: Session) -> None:
    """As if the hold were over now: the rows are what the clock is compared with."""
    now = timezone.now()
    Session.objects.filter(pk=session.pk).update(throttled_until=now)
    Message.objects.filter(error_code="throttled").update(next_try_at=now)


ANSWERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "rate limited": (
        {"kind": "ret", "ret": -2, "errmsg": "rate limited"},
        "rate_limited",
        "WeChat says: rate limited",
    ),
    "too frequent, in Chinese": (
        {"kind": "ret", "ret": -2, "errmsg": "发送过于频繁"},
        "rate_limited",
        "WeChat says: 发送过于频繁",
    ),
    "another code": (
        {"kind": "ret", "errcode": -9, "errmsg": "freq limit"},
        "rate_limited",
        "WeChat says: freq limit",
    ),
    "429": (
        {"kind": "status", "status": 429},
        "rate_limited",
        "WeChat says: HTTP 429 Too Many Requests",
    ),
    "no words at all": (
        {"kind": "ret", "ret": -2},
        "no_reason",
        "WeChat refused and gave no reason",
    ),
    "other words": (
        {"kind": "ret", "ret": -2, "errmsg": "system busy"},
        "wechat_says",
        "WeChat says: system busy",
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_twelve_customers_do_not_burn_a_try_each(running: Running, answer: str) -> None:
    fault, code, words = ANSWERS[answer]
    session = await _twelve_customers(running)
    running.control.add_fault(path=SEND, skip=2, times=None, **fault)
    await in_thread(_reply_to_all)()
    await until(_is_calm, "sent, refused or held", within_s=20)

    fates = await in_thread(_fates)()
    refused = fates.pop(f"failed {code}")
    assert 1 <= refused <= 3
    assert fates == {"sent": 2, "queued throttled": 10 - refused}
    row = await Session.objects.aget(pk=session.pk)
    assert row.state == "connected"
    assert row.throttled_until is not None
    met = await in_thread(Message.objects.filter(status="failed").select_related("session").first)()
    assert met is not None
    assert reason_of(met) == words
    assert await row.events.filter(kind="throttled").acount() == 1


async def test_the_trial_is_one_and_when_it_is_taken_the_rest_flow(running: Running) -> None:
    session = await _twelve_customers(running)
    running.control.add_fault("ret", path=SEND, skip=2, times=None, ret=-2, errmsg="rate limited")
    await in_thread(_reply_to_all)()
    await until(_is_calm, "sent, refused or held", within_s=20)
    failed = (await in_thread(_fates)())["failed rate_limited"]
    until_first = (await Session.objects.aget(pk=session.pk)).throttled_until

    await in_thread(_the_time_has_come)(session)
    more = f"{failed + 1} refused: the trial alone"
    await until(lambda: _fates()["failed rate_limited"] == failed + 1, more)
    await until(lambda: _fates()["queued throttled"] == 10 - failed - 1, "the others wait on")
    row = await Session.objects.aget(pk=session.pk)
    assert until_first is not None
    assert row.throttled_until is not None
    assert row.throttled_until - timezone.now() > timedelta(minutes=11)  # twice as long

    running.control.clear_faults()
    await in_thread(_the_time_has_come)(session)
    await until(lambda: _fates()["sent"] == 12 - failed - 1, "all the others", within_s=20)
    row = await Session.objects.aget(pk=session.pk)
    assert (row.throttled_at, row.throttled_until, row.throttle_words) == (None, None, "")
    kinds = [one async for one in row.events.values_list("kind", flat=True)]
    assert (kinds.count("throttled"), kinds.count("flowing")) == (1, 1)
    assert len(running.control.sends(outcome="shown")) == 12 - failed - 1


# Without a network


@pytest.fixture
def session(db: None) -> Session:
    leases.register("w1")
    made = make_session()
    for number, person in enumerate(PEOPLE):
        receive(made, text_message("hello", sender=person), cursor=f"c{number}")
    return made


def _claims() -> list[Claim]:
    return outbox.claim_next("w1", limit=10)


def _refuse(words: str = "", persons: Iterable[str] = PEOPLE[:1]) -> None:
    for person in persons:
        _reply(person)
        [claim] = _claims()
        outbox.mark_refused(claim, wire_code=-2, detail=words)


def _is_held(session: Session) -> bool:
    session.refresh_from_db()
    return session.throttled_until is not None


def test_one_person_s_refusals_hold_nobody_else(session: Session) -> None:
    for text in ("one", "two", "three"):
        message = _reply(PEOPLE[0], text)
        [claim] = _claims()
        outbox.mark_refused(claim, wire_code=-2, detail="")
        Message.objects.filter(pk=message.pk).update(holds_queue=False)
    assert not _is_held(session)
    _reply(PEOPLE[1])
    assert len(_claims()) == 1


def test_what_the_person_s_own_figures_explain_holds_nobody_else(session: Session) -> None:
    """The words may mislead: a spent quota is answered "rate limited" too."""
    Context.objects.update(replies_used=10)
    for person in PEOPLE[:4]:
        message = send_reply(
            user=None,
            conversation=Conversation.objects.get(contact__user_id=person),
            text="hi",
            draft_key=person,
            override=True,
        )
        [claim] = _claims()
        outbox.mark_refused(claim, wire_code=-2, detail="rate limited")
        message.refresh_from_db()
        assert message.error_code == "quota_exhausted"
        assert reason_of(message).endswith("(WeChat says: rate limited)")
    assert not _is_held(session)


def test_refusals_with_an_acceptance_between_them_are_two_people_s_own(session: Session) -> None:
    _refuse(persons=PEOPLE[:1])
    _reply(PEOPLE[5])
    outbox.mark_sent(_claims()[0], wire_id="1")
    _refuse(persons=PEOPLE[1:2])
    assert not _is_held(session)


def test_refusals_long_apart_are_two_people_s_own(session: Session) -> None:
    _refuse(persons=PEOPLE[:1])
    SendAttempt.objects.update(finished_at=timezone.now() - throttle.SHORT_TIME)
    _refuse(persons=PEOPLE[1:2])
    assert not _is_held(session)


@pytest.mark.parametrize("words", ["", "invalid context_token", "rate limited"])
def test_a_reply_that_crosses_a_message_of_its_person_tells_nothing_of_the_account(
    session: Session, words: str
) -> None:
    """WeChat takes the newest token only, and the reply left with the one before."""
    for number, person in enumerate(PEOPLE[:3]):
        message = _reply(person)
        [claim] = _claims()
        receive(session, text_message("and", sender=person), cursor=f"d{number}")
        outbox.mark_refused(claim, wire_code=-2, detail=words)
        message.refresh_from_db()
        assert (message.status, message.error_code) == ("failed", "token_replaced")
        assert "wrote again at the same moment" in reason_of(message)
    assert not _is_held(session)
    assert not Context.objects.filter(refused_at__isnull=False).exists(), "new tokens are good"


@pytest.mark.parametrize("words", ["", "rate limited"])
def test_a_hold_ends_when_the_messages_that_explain_it_come(session: Session, words: str) -> None:
    """They were written before the refusal, and lay in the answer to the next poll."""
    messages = [_reply(person) for person in PEOPLE[:2]]
    claims = _claims()
    at = int(timezone.now().timestamp() * 1000)
    for claim in claims:
        outbox.mark_refused(claim, wire_code=-2, detail=words)
    assert _is_held(session)
    held = _reply(PEOPLE[5])
    assert _claims() == []

    for number, claim in enumerate(claims):
        outbox.explain_refusal(claim)
        assert _is_held(session), "nothing explains it yet"
        sent_again = text_message("and", sender=claim.to_user_id, create_time_ms=at)
        receive(session, sent_again, cursor=f"d{number}")
        outbox.explain_refusal(claim)
        messages[number].refresh_from_db()
        assert messages[number].error_code == "token_replaced"
        if not words:  # one person's refusal alone holds nobody
            break
    assert not _is_held(session)
    assert [claim.message_id for claim in _claims()] == [held.pk]


def test_a_message_written_after_the_refusal_explains_nothing(session: Session) -> None:
    _reply(PEOPLE[0])
    [claim] = _claims()
    outbox.mark_refused(claim, wire_code=-2, detail="rate limited")
    earlier = timezone.now() - timedelta(seconds=5)
    SendAttempt.objects.update(started_at=earlier, finished_at=earlier)
    receive(session, text_message("?", sender=PEOPLE[0]), cursor="d")
    outbox.explain_refusal(claim)
    assert _is_held(session)


async def test_people_who_write_all_the_time_hold_no_account(running: Running) -> None:
    """Every refused reply met a newer message at WeChat that the console heard of later."""
    session = await _twelve_customers(running)
    for person in PEOPLE[:3]:
        await in_thread(_reply)(person)
        running.control.write(session.bot_id, person, "and another thing")
    await until(_is_calm, "sent or refused", within_s=20)
    await until(
        lambda: not Session.objects.filter(throttled_until__isnull=False).exists(), "no hold"
    )
    assert set(await in_thread(_fates)()) <= {"sent", "failed token_replaced"}


def test_another_session_s_replies_go_on(session: Session) -> None:
    other = make_session("Shop B")
    receive(other, text_message("hello", sender="lina@im.wechat"))
    _refuse("rate limited")
    assert _is_held(session)
    _reply("lina@im.wechat")
    assert len(_claims()) == 1
    assert not _is_held(other)


@pytest.mark.parametrize("first", ["the refusal", "the acceptance"])
def test_an_answer_that_was_on_its_way_before_the_hold_ends_it_not(
    session: Session, first: str
) -> None:
    _reply(PEOPLE[0])
    _reply(PEOPLE[1])
    refused, accepted = _claims()
    if first == "the acceptance":
        outbox.mark_sent(accepted, wire_id="1")
    outbox.mark_refused(refused, wire_code=-2, detail="rate limited")
    if first == "the refusal":
        outbox.mark_sent(accepted, wire_id="1")
    assert _is_held(session)


def test_a_refusal_that_was_on_its_way_before_the_hold_makes_it_no_longer(session: Session) -> None:
    _reply(PEOPLE[0])
    _reply(PEOPLE[1])
    first, second = _claims()
    outbox.mark_refused(first, wire_code=-2, detail="rate limited")
    session.refresh_from_db()
    until_first = session.throttled_until
    outbox.mark_refused(second, wire_code=-2, detail="rate limited")
    session.refresh_from_db()
    assert (session.throttled_until, session.throttle_count) == (until_first, 1)


def test_a_trial_that_only_tells_of_its_person_is_followed_by_another(session: Session) -> None:
    _refuse("rate limited")
    _reply(PEOPLE[1])
    _reply(PEOPLE[2])
    assert _claims() == []
    _the_time_has_come(session)
    [trial] = _claims()
    assert _claims() == []
    Context.objects.filter(user_id=trial.to_user_id).update(replies_used=11)
    outbox.mark_refused(trial, wire_code=-2, detail="rate limited")
    Message.objects.filter(error_code="throttled").update(next_try_at=timezone.now())
    assert len(_claims()) == 1


def test_an_agent_who_insists_is_obeyed(session: Session) -> None:
    _refuse("rate limited")
    message = _reply(PEOPLE[1])
    assert _claims() == []
    message.refresh_from_db()
    sending.send_now(message=message, user=None)
    assert [claim.message_id for claim in _claims()] == [message.pk]


def test_a_new_scan_begins_without_the_old_hold(session: Session) -> None:
    _refuse("rate limited")
    services.log_out(session=session, user=None)
    assert not _is_held(session)


def test_everybody_is_told_once_with_the_time(session: Session, cast: Cast) -> None:
    _refuse("rate limited")
    waiting = _reply(PEOPLE[1])
    _claims()
    session.refresh_from_db()
    assert session.throttled_until is not None
    at = timezone.localtime(session.throttled_until).strftime("%H:%M")
    notice = f"WeChat says: rate limited. Replies are on hold; one will be tried at {at}"

    waiting.refresh_from_db()
    said = state_of(waiting, contact_name="Guest")
    assert said.words == f"sends at {at}: WeChat says: rate limited"
    assert [one.url for one in said.actions] == ["send_now", "edit", "cancel"]
    seen = Client()
    seen.force_login(cast.operator)
    for page in ("/sessions/", f"/sessions/{session.name}/"):
        assert notice in " ".join(seen.get(page).content.decode().split())
    agent = Client()
    agent.force_login(cast.agent)
    for person in (PEOPLE[1], PEOPLE[7]):
        conversation = Conversation.objects.get(contact__user_id=person)
        assert notice in agent.get(f"/inbox/{conversation.pk}/").content.decode()
    ask = calling(cast.administrator)
    (shown,) = ask.get("/sessions").body["items"]
    assert (shown["state"], shown["last_error"]) == ("connected", notice)
    error = ask.get(f"/messages/{waiting.pk}").body["error"]
    assert error == {"code": "throttled", "message": "WeChat says: rate limited"}
