"""`POST /messages`: what is taken, what is refused with which code, and keys that make it one."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from messaging.delivering import outbox
from messaging.models import Message, PostedKey
from sessions_app.models import Context, Session, Team
from sessions_app.people.roles import Role
from sessions_app.sessions import leases
from tests.api.callers import Answer, Caller, calling, token_of
from tests.api.conftest import Shop
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session, receive, text_message

LINA = "lina@im.wechat"


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.agent)


def post(caller: Caller, **body: Any) -> Answer:
    return caller.post("/messages", {"to": LINA, "text": "hi", **body})


@pytest.mark.django_db
def test_a_text_is_queued_and_counted(caller: Caller, shop: Shop, cast: Cast) -> None:
    answer = post(caller)
    row = Message.objects.get(direction="out")
    assert answer.status == 202
    assert answer.body == {
        "id": str(row.pk), "status": "queued", "session": "Shop A", "remaining": 9,
        "parts": [str(row.pk)], "held_by": None,
    }  # fmt: skip
    assert (row.text, row.sent_by, row.status) == ("hi", cast.agent, "queued")
    assert post(caller).body["remaining"] == 8


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"text": ""}, 422, "empty", "text"),
        ({"text": " \n "}, 422, "empty", "text"),
        ({"text": "字" * 5_462}, 422, "text_too_long", "text"),
        ({"session": "Shop Z"}, 404, "unknown_session", "session"),
        ({"reply_to": "999"}, 422, "unknown_message", "reply_to"),
        ({"reply_to": "9" * 19}, 422, "unknown_message", "reply_to"),
        ({"reply_to": "x"}, 422, "invalid", "reply_to"),
        (
            {"attachments": [{"kind": "image"}]},
            422,
            "invalid",
            "attachments",
        ),
        ({"attachments": [{"kind": "sound"}]}, 422, "invalid", "kind"),
        ({"override": "yes"}, 422, "invalid", "override"),
        ({"to": ""}, 422, "invalid", "to"),
        ({"to": "a\0b"}, 422, "invalid", "to"),
        ({"to": 5}, 422, "invalid", "to"),
        ({"idempotency_key": ""}, 422, "invalid", "idempotency_key"),
        ({"sesion": "Shop A"}, 422, "invalid", "sesion"),
        ({"text": "\ud800"}, 422, "empty", "text"),
        ({"to": "\ud800"}, 422, "invalid", "to"),
        ({"session": "a\ud800"}, 422, "invalid", "session"),
    ],
)
def test_a_bad_post_is_refused_with_its_field(
    caller: Caller, shop: Shop, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = post(caller, **body)
    assert (answer.status, answer.code) == (status, code)
    assert answer.body["error"]["field"] == field
    assert answer.body["error"]["message"]
    assert not Message.objects.filter(direction="out").exists()


@pytest.mark.django_db
def test_the_longest_text_is_taken_whole(caller: Caller, shop: Shop) -> None:
    text = "x" * 16_384
    assert post(caller, text=text).status == 202
    assert Message.objects.get(direction="out").text == text


@pytest.mark.django_db
def test_who_never_wrote_cannot_be_written_to(caller: Caller, shop: Shop) -> None:
    answer = post(caller, to="stranger@im.wechat")
    assert (answer.status, answer.code) == (409, "no_context")
    assert answer.body["error"]["offer"] == []


def _age(session: Session, hours: float) -> None:
    Context.objects.filter(session=session).update(
        received_at=timezone.now() - timedelta(hours=hours)
    )


@pytest.mark.django_db
def test_a_closed_window_is_409_with_the_others_to_choose_from(caller: Caller, shop: Shop) -> None:
    other, third = make_session("Shop B"), make_session("Shop C")
    receive(other, text_message("to B"))
    receive(third, text_message("to C"))
    _age(shop.session, 25)
    answer = post(caller, session="Shop A")
    assert (answer.status, answer.code) == (409, "window_closed")
    assert answer.body["error"]["offer"] == ["Shop C", "Shop B"]

    assert post(caller, session="Shop B").body["session"] == "Shop B"
    assert post(caller, session="Shop A", override=True).body["session"] == "Shop A"
    assert Message.objects.filter(direction="out").last().overrides_limits  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_spent_count_is_409_and_may_be_overridden(caller: Caller, shop: Shop) -> None:
    Context.objects.update(replies_used=10)
    answer = post(caller)
    assert (answer.status, answer.code) == (409, "quota_exhausted")
    assert answer.body["error"]["offer"] == []
    forced = post(caller, override=True)
    assert (forced.status, forced.body["remaining"]) == (202, 0)


@pytest.mark.django_db
def test_a_signed_out_session_is_409_and_cannot_be_overridden(caller: Caller, shop: Shop) -> None:
    Session.objects.update(state="expired")
    for override in (False, True):
        answer = post(caller, override=override)
        assert (answer.status, answer.code) == (409, "session_offline")


@pytest.mark.django_db
def test_a_session_that_the_person_never_wrote_to_is_not_replaced(
    caller: Caller, shop: Shop
) -> None:
    make_session("Shop B")
    answer = post(caller, session="Shop B")
    assert (answer.status, answer.code) == (409, "no_context")
    assert answer.body["error"]["offer"] == ["Shop A"]


@pytest.mark.django_db
def test_a_reply_names_what_it_answers_in_its_own_conversation_only(
    caller: Caller, shop: Shop
) -> None:
    receive(shop.session, text_message("another", sender="guo@im.wechat"))
    theirs = Message.objects.get(text="another")
    assert post(caller, reply_to=str(theirs.pk)).code == "unknown_message"
    taken = post(caller, reply_to=str(shop.message.pk))
    assert Message.objects.get(pk=taken.body["id"]).quote_of == shop.message


@pytest.mark.django_db
def test_of_several_teams_the_one_with_the_newest_context_answers(cast: Cast, shop: Shop) -> None:
    theirs = make_session("Elsewhere", team=cast.other_team)
    receive(theirs, text_message("to the others"))
    cast.agent.teams.add(cast.other_team)
    both, ours = calling(cast.agent), calling(cast.supervisor)
    assert post(both).body["session"] == "Elsewhere"
    assert post(ours).body["session"] == "Shop A"
    assert post(both, session="Shop A").body["session"] == "Shop A"
    assert post(ours, session="Elsewhere").code == "unknown_session"
    _age(theirs, 2)
    assert post(both).body["session"] == "Shop A"


@pytest.mark.django_db
def test_the_same_key_is_one_message_and_the_first_answer(
    caller: Caller, shop: Shop, cast: Cast
) -> None:
    first = post(caller, idempotency_key="k1")
    assert post(caller).status == 202
    again = post(caller, idempotency_key="k1")
    assert (first.status, again.status) == (202, 200)
    assert again.body == first.body
    assert Message.objects.filter(direction="out").count() == 2

    for other in ({"text": "other"}, {"override": True}, {"session": "Shop A"}):
        reused = post(caller, idempotency_key="k1", **other)
        assert (reused.status, reused.code) == (409, "key_reused")
    # The key is the person's: another token of theirs meets it, another person does not.
    assert post(calling(cast.agent), idempotency_key="k1").status == 200
    assert post(calling(cast.supervisor), idempotency_key="k1").status == 202


@pytest.mark.django_db
def test_a_refused_post_leaves_its_key_free(caller: Caller, shop: Shop) -> None:
    Context.objects.update(replies_used=10)
    assert post(caller, idempotency_key="k1").code == "quota_exhausted"
    assert not PostedKey.objects.exists()
    Context.objects.update(replies_used=0)
    assert post(caller, idempotency_key="k1").status == 202


def test_ten_posts_at_once_with_one_key_are_one_message(seeded: Team) -> None:
    agent = make_user("wei", Role.AGENT, seeded)
    receive(make_session(), text_message("hello"))
    secret, answers, start = token_of(agent), list[Answer](), threading.Barrier(10)

    def go() -> None:
        start.wait(5)
        answers.append(post(Caller(secret), idempotency_key="same"))
        connections.close_all()

    conversations = [threading.Thread(target=go) for _ in range(10)]
    for one in conversations:
        one.start()
    for one in conversations:
        one.join(60)
    assert sorted(one.status for one in answers) == [200] * 9 + [202]
    assert len({str(one.body) for one in answers}) == 1
    assert Message.objects.filter(direction="out").count() == 1
    assert Context.objects.get().replies_used == 1


@pytest.mark.django_db
def test_a_failed_message_is_retried_and_a_queued_one_cancelled(caller: Caller, shop: Shop) -> None:
    number = post(caller).body["id"]
    leases.register("w1")
    claim = outbox.claim_next("w1", limit=1)[0]
    assert caller.post(f"/messages/{number}/cancel").code == "already_sent"
    outbox.mark_refused(claim, wire_code=-2, detail="")
    retried = caller.post(f"/messages/{number}/retry")
    assert (retried.status, retried.body["status"], retried.body["error"]) == (200, "queued", None)
    assert caller.post(f"/messages/{number}/retry").code == "already_decided"
    used = Context.objects.get().replies_used
    cancelled = caller.post(f"/messages/{number}/cancel")
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert Context.objects.get().replies_used == used - 1


@pytest.mark.django_db
def test_a_retry_after_the_window_closed_needs_override(caller: Caller, shop: Shop) -> None:
    number = post(caller).body["id"]
    leases.register("w1")
    outbox.mark_refused(outbox.claim_next("w1", limit=1)[0], wire_code=-2, detail="")
    _age(shop.session, 25)
    refused = caller.post(f"/messages/{number}/retry", {})
    assert (refused.status, refused.code) == (409, "window_closed")
    assert caller.post(f"/messages/{number}/retry", {"override": True}).status == 200
