"""A refused or unconfirmed message holds the person's later ones: the API says so and lets go."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, MessageStatus
from messaging.replying import services
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from tests.api.callers import Answer, Caller, calling
from tests.api.conftest import Shop
from tests.conftest import Cast
from tests.messaging.builders import receive, text_message

pytestmark = pytest.mark.django_db

LINA, GUO = "lina@im.wechat", "guo@im.wechat"


@pytest.fixture
def caller(cast: Cast, shop: Shop) -> Caller:
    leases.register("w1")
    return calling(cast.agent)


def post(caller: Caller, text: str = "hi", to: str = LINA, **body: Any) -> Answer:
    return caller.post("/messages", {"to": to, "text": text, **body})


def claim() -> Claim:
    return outbox.claim_next("w1", limit=1)[0]


def refused() -> None:
    outbox.mark_refused(claim(), wire_code=-2, detail="")


def broken() -> None:
    outbox.mark_broken(claim(), detail="")


def lost() -> None:
    claim()
    leases.retire("w1")
    outbox.disown_lost()
    leases.register("w1")


def not_uploaded() -> None:
    outbox.fail_queued(Message.objects.get(status="queued").pk, code="cdn_refused", detail="")


def no_receipt() -> None:
    Session.objects.update(gives_receipts=True)
    outbox.mark_sent(claim(), wire_id=None)


def accepted() -> None:
    outbox.mark_sent(claim(), wire_id="77")


HOLDING = [refused, broken, lost, not_uploaded]


def shown(caller: Caller, number: str) -> Any:
    return caller.get(f"/messages/{number}").body


@pytest.mark.parametrize("fail", HOLDING)
def test_what_did_not_go_through_holds_the_next_and_both_answers_say_by_what(
    caller: Caller, fail: Callable[[], None]
) -> None:
    first = post(caller).body
    assert first["held_by"] is None
    fail()
    second = post(caller, "second", idempotency_key="k")
    assert (second.status, second.body["held_by"]) == (202, first["id"])
    again = post(caller, "second", idempotency_key="k")
    assert (again.status, again.body) == (200, second.body)
    assert shown(caller, second.body["id"])["held_by"] == first["id"]
    assert shown(caller, first["id"])["held_by"] is None
    for path in ("/messages", f"/conversations/{Conversation.objects.get().pk}/messages"):
        held = {one["id"]: one["held_by"] for one in caller.get(path).body["items"]}
        assert held.pop(second.body["id"]) == first["id"]
        assert set(held.values()) == {None}
    assert outbox.claim_next("w1", limit=1) == []


@pytest.mark.parametrize("fate", [accepted, no_receipt])
def test_what_was_accepted_holds_nothing_with_and_without_a_receipt(
    caller: Caller, fate: Callable[[], None]
) -> None:
    post(caller)
    fate()
    assert post(caller).body["held_by"] is None
    assert claim()


def test_what_fails_later_holds_what_was_queued_before(caller: Caller) -> None:
    first, second = post(caller).body, post(caller, "second").body
    assert second["held_by"] is None
    refused()
    assert shown(caller, second["id"])["held_by"] == first["id"]


def test_all_parts_of_a_post_are_held(caller: Caller) -> None:
    first = post(caller).body["id"]
    refused()
    file = {"kind": "file", "file_name": "a.txt", "content_base64": "aGVsbG8="}
    second = post(caller, attachments=[file]).body
    assert [shown(caller, one)["held_by"] for one in second["parts"]] == [first, first]


def test_nobody_else_is_held_and_what_is_not_queued_is_not(caller: Caller, shop: Shop) -> None:
    post(caller)
    refused()
    receive(shop.session, text_message("me too", sender=GUO))
    assert post(caller, to=GUO).body["held_by"] is None
    held = post(caller).body["id"]
    assert caller.post(f"/messages/{held}/cancel").body["held_by"] is None


def test_the_feed_asks_no_query_more_for_held_messages(
    caller: Caller, django_assert_max_num_queries: Any
) -> None:
    post(caller)
    refused()
    Context.objects.update(replies_used=0)
    for _ in range(9):
        post(caller)
    with django_assert_max_num_queries(6):
        items = caller.get("/messages", limit=200).body["items"]
    assert sum(one["held_by"] is not None for one in items) == 9


@pytest.mark.parametrize("fail", HOLDING)
def test_dismissed_it_lets_the_next_go_is_not_sent_again_and_may_be_dismissed_again(
    caller: Caller, fail: Callable[[], None]
) -> None:
    first = post(caller).body["id"]
    fail()
    second = post(caller, "second").body["id"]
    status = shown(caller, first)["status"]
    for _ in range(2):
        answer = caller.post(f"/messages/{first}/dismiss")
        assert (answer.status, answer.body["status"]) == (200, status)
    assert shown(caller, second)["held_by"] is None
    assert claim().message_id == int(second)
    assert outbox.claim_next("w1", limit=5) == []
    assert caller.post(f"/messages/{first}/retry").code == "already_decided"


@pytest.mark.parametrize("fail", [broken, lost, no_receipt])
def test_what_arrived_is_sent_and_lets_the_next_go(
    caller: Caller, fail: Callable[[], None]
) -> None:
    first = post(caller).body["id"]
    fail()
    second = post(caller, "second").body["id"]
    for body in ({"arrived": True}, {"arrived": True}, None, {}):
        answer = caller.post(f"/messages/{first}/dismiss", body)
        assert (answer.status, answer.body["status"], answer.body["error"]) == (200, "sent", None)
    assert [claim().message_id, outbox.claim_next("w1", limit=5)] == [int(second), []]
    assert Conversation.objects.get().not_sent == 0


def test_that_it_arrived_may_be_learned_after_it_was_let_go(caller: Caller) -> None:
    first = post(caller).body["id"]
    broken()
    assert caller.post(f"/messages/{first}/dismiss").body["status"] == "unconfirmed"
    answer = caller.post(f"/messages/{first}/dismiss", {"arrived": True})
    assert (answer.status, answer.body["status"]) == (200, "sent")


def test_what_lacks_its_receipt_is_let_go_and_no_longer_listed_as_not_sent(caller: Caller) -> None:
    first = post(caller).body["id"]
    no_receipt()
    assert Conversation.objects.get().not_sent == 1
    for _ in range(2):
        answer = caller.post(f"/messages/{first}/dismiss")
        assert (answer.status, answer.body["status"]) == (200, "unconfirmed")
    assert Conversation.objects.get().not_sent == 0


def test_of_two_that_hold_each_is_named_in_turn(caller: Caller) -> None:
    first = post(caller).body["id"]
    no_receipt()
    second = post(caller, "second").body["id"]
    refused()
    caller.post(f"/messages/{first}/retry")
    refused()
    third = post(caller, "third").body
    assert third["held_by"] == second
    caller.post(f"/messages/{second}/dismiss")
    assert shown(caller, third["id"])["held_by"] == first
    caller.post(f"/messages/{first}/dismiss")
    assert shown(caller, third["id"])["held_by"] is None


def _incoming(caller: Caller) -> str:
    return str(Message.objects.get(direction="in").pk)


def _in_state(caller: Caller, status: str) -> str:
    if status == "received":
        return _incoming(caller)
    number = str(post(caller).body["id"])
    match status:
        case "sending":
            claim()
        case "sent":
            accepted()
        case "failed":
            refused()
        case "unconfirmed":
            broken()
        case "no_id":
            outbox.mark_sent(claim(), wire_id=None)
        case "cancelled":
            services.cancel_message(message=Message.objects.get(pk=number), user=None)
    return number


@pytest.mark.parametrize(
    ("status", "arrived", "code"),
    [
        ("received", False, "not_outgoing"),
        ("queued", False, "still_queued"),
        ("queued", True, "still_queued"),
        ("sending", False, "being_sent"),
        ("sent", False, "already_sent"),
        ("cancelled", False, "already_cancelled"),
        ("failed", True, "already_failed"),
    ],
)
def test_what_needs_no_decision_cannot_be_dismissed(
    caller: Caller, status: str, arrived: bool, code: str
) -> None:
    number = _in_state(caller, status)
    before = shown(caller, number)
    answer = caller.post(f"/messages/{number}/dismiss", {"arrived": arrived})
    assert (answer.status, answer.code) == (409, code)
    assert answer.body["error"]["message"] != "This reply cannot be sent."
    assert shown(caller, number) == before


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("received", "not_outgoing"),
        ("sent", "already_sent"),
        ("failed", "already_failed"),
        ("unconfirmed", "not_confirmed"),
        ("no_id", "not_confirmed"),
    ],
)
def test_a_cancel_says_what_became_of_it_and_never_that_it_is_too_late(
    caller: Caller, status: str, code: str
) -> None:
    number = _in_state(caller, status)
    for decided in (False, True):
        if decided and caller.post(f"/messages/{number}/dismiss").status != 200:
            continue
        answer = caller.post(f"/messages/{number}/cancel")
        assert (answer.status, answer.code) == (409, code)
        words = answer.body["error"]["message"]
        assert "late" not in words.lower()
        assert words != "This reply cannot be sent."


def test_only_what_is_on_its_way_is_too_late_and_a_cancelled_one_stays_cancelled(
    caller: Caller,
) -> None:
    number = _in_state(caller, "sending")
    answer = caller.post(f"/messages/{number}/cancel")
    assert (answer.status, answer.code) == (409, "already_sent")
    assert "on its way" in answer.body["error"]["message"]
    Message.objects.filter(pk=number).update(status=MessageStatus.SENT)
    other = _in_state(caller, "cancelled")
    used = Context.objects.get().replies_used
    for _ in range(2):
        answer = caller.post(f"/messages/{other}/cancel")
        assert (answer.status, answer.body["status"]) == (200, "cancelled")
    assert Context.objects.get().replies_used == used


@pytest.mark.parametrize("body", [{"arrived": "yes"}, {"arived": True}, {"arrived": None}])
def test_a_wrong_body_is_refused(caller: Caller, body: dict[str, Any]) -> None:
    number = _in_state(caller, "unconfirmed")
    answer = caller.post(f"/messages/{number}/dismiss", body)
    assert (answer.status, answer.code) == (422, "invalid")
    assert Message.objects.get(pk=number).holds_queue


def test_another_team_does_not_meet_it_and_a_viewer_may_not(caller: Caller, cast: Cast) -> None:
    number = _in_state(caller, "failed")
    for user, code in ((cast.agent_elsewhere, "not_found"), (cast.viewer, "forbidden")):
        assert calling(user).post(f"/messages/{number}/dismiss").code == code
    assert calling(cast.agent, "read").post(f"/messages/{number}/dismiss").code == "wrong_scope"
    assert Message.objects.get(pk=number).holds_queue
