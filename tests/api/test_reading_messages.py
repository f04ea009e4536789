"""`GET /messages`: the contract's fields, the order stored, filters, pages, and few queries."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.delivering import outbox
from messaging.models import Conversation, Message
from sessions_app.sessions import leases
from tests.api.callers import Caller, calling
from tests.api.conftest import Shop
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "message_id", "client_id", "session", "bot_id", "user_id", "direction", "kind", "text",
    "attachments", "quote", "status", "error", "held_by", "created_at", "stored_at", "sent_by",
}  # fmt: skip
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.agent)


def test_a_message_has_exactly_the_fields_of_the_contract(
    caller: Caller, shop: Shop, cast: Cast
) -> None:
    got = caller.get(f"/messages/{shop.message.pk}").body
    assert set(got) == FIELDS
    assert got["id"] == str(shop.message.pk)
    assert got["message_id"] == shop.message.wire_id
    assert (got["direction"], got["kind"], got["status"]) == ("in", "text", "received")
    assert (got["session"], got["bot_id"]) == ("Shop A", "Shop A@im.bot")
    assert (got["user_id"], got["text"]) == ("lina@im.wechat", "hello")
    assert (got["attachments"], got["quote"], got["error"]) == ([], None, None)
    assert (got["sent_by"], got["client_id"], got["held_by"]) == (None, None, None)
    assert ISO.match(got["created_at"])
    assert ISO.match(got["stored_at"])


def test_times_are_utc_with_milliseconds_whatever_the_microseconds(
    caller: Caller, shop: Shop
) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 6_999, tzinfo=UTC)
    Message.objects.update(created_at=at, stored_at=at.replace(microsecond=0))
    got = caller.get(f"/messages/{shop.message.pk}").body
    assert got["created_at"] == "2026-01-02T03:04:05.006Z"
    assert got["stored_at"] == "2026-01-02T03:04:05.000Z"


def test_a_reply_says_who_sent_it_what_it_answers_and_why_it_failed(
    caller: Caller, shop: Shop, cast: Cast
) -> None:
    reply = send_reply(
        user=cast.agent,
        conversation=shop.conversation,
        text="hi",
        draft_key="",
        quote_of=shop.message,
    )
    leases.register("w1")
    claim = outbox.claim_next("w1", limit=1)[0]
    outbox.mark_refused(claim, wire_code=-2, detail="")
    got = caller.get(f"/messages/{reply.pk}").body
    assert (got["direction"], got["sent_by"], got["status"]) == ("out", "wei", "failed")
    assert got["quote"] == {"id": str(shop.message.pk), "text": "hello"}
    assert got["error"]["code"] == "no_reason"
    assert got["error"]["message"]
    assert got["client_id"] == claim.client_id


def test_an_attachment_is_described_though_its_bytes_come_later(caller: Caller, shop: Shop) -> None:
    wire = text_message("look")
    wire["item_list"].append({"type": 4, "file_item": {"file_name": "a.pdf", "len": "12"}})
    receive(shop.session, wire)
    last = caller.get("/messages").body["items"][-1]
    assert last["kind"] == "file"
    (found,) = last["attachments"]
    assert set(found) == {"id", "kind", "file_name", "size", "content_type", "state", "error"}
    assert (found["kind"], found["file_name"], found["state"]) == ("file", "a.pdf", "remote")
    content = caller.get(f"/attachments/{found['id']}/content")
    assert (content.status, content.code) == (404, "not_found")


def _numbered(shop: Shop, count: int) -> None:
    receive(shop.session, *[text_message(str(number)) for number in range(count)])


def test_pages_follow_each_other_in_the_order_stored_and_miss_nothing(
    caller: Caller, shop: Shop
) -> None:
    _numbered(shop, 7)
    texts, cursor, sizes = [], "", []
    while True:
        page = caller.get("/messages", limit=3, cursor=cursor).body
        texts += [one["text"] for one in page["items"]]
        sizes.append(len(page["items"]))
        assert page["last_id"] == page["items"][-1]["id"]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert texts == ["hello", *"0123456"]
    assert sizes == [3, 3, 2]


def test_after_is_exclusive_and_last_id_stays_when_nothing_came(caller: Caller, shop: Shop) -> None:
    _numbered(shop, 2)
    last = caller.get("/messages").body["last_id"]
    nothing = caller.get("/messages", after=last).body
    assert nothing == {"items": [], "next": None, "last_id": last}
    receive(shop.session, text_message("new"))
    fresh = caller.get("/messages", after=last).body
    assert [one["text"] for one in fresh["items"]] == ["new"]
    assert int(fresh["last_id"]) > int(last)


def test_an_id_beyond_every_number_finds_nothing(caller: Caller, shop: Shop) -> None:
    assert caller.get("/messages", after="9" * 19).body["items"] == []
    assert caller.get("/messages/" + "9" * 19).code == "not_found"


def test_filters_by_session_person_and_direction(caller: Caller, shop: Shop, cast: Cast) -> None:
    other = make_session("Shop B")
    receive(other, text_message("to B", sender="guo@im.wechat"))
    send_reply(user=cast.agent, conversation=shop.conversation, text="reply", draft_key="")

    def texts(**query: Any) -> list[str]:
        return [one["text"] for one in caller.get("/messages", **query).body["items"]]

    assert texts() == ["hello", "to B", "reply"]
    assert texts(session="Shop B") == ["to B"]
    assert texts(user="lina@im.wechat") == ["hello", "reply"]
    assert texts(direction="out") == ["reply"]
    assert texts(direction="in", session="Shop A") == ["hello"]
    assert texts(user="nobody@im.wechat") == []
    conversation = f"/conversations/{shop.conversation.pk}/messages"
    assert [one["text"] for one in caller.get(conversation).body["items"]] == ["hello", "reply"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "not ours"}, "cursor"),
        ({"cursor": "YWJj"}, "cursor"),
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"wait": 31}, "wait"),
        ({"wait": -1}, "wait"),
        ({"wait": "nan"}, "wait"),
        ({"direction": "sideways"}, "direction"),
        ({"user": "a\0b"}, "user"),
    ],
)
def test_a_wrong_parameter_is_named(
    caller: Caller, shop: Shop, query: dict[str, Any], field: str
) -> None:
    answer = caller.get("/messages", **query)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["error"]["field"] == field


def test_an_unknown_session_is_not_an_empty_list(caller: Caller, shop: Shop) -> None:
    for path in ("/messages", "/conversations"):
        answer = caller.get(path, session="Shop Z")
        assert (answer.status, answer.code) == (404, "unknown_session")


@pytest.mark.parametrize("path", ["/messages", "/conversations", "/conversations/{}/messages"])
def test_a_list_asks_the_same_number_of_queries_for_one_and_for_many(
    caller: Caller,
    shop: Shop,
    path: str,
    django_assert_max_num_queries: Any,
) -> None:
    path = path.format(shop.conversation.pk)
    caller.get(path)  # the token's use is written down once
    people = [text_message("x", sender=f"p{n}@im.wechat") for n in range(30)]
    wire = text_message("file")
    wire["item_list"].append({"type": 4, "file_item": {"file_name": "a.pdf"}})
    receive(shop.session, *people, *[text_message("y") for _ in range(30)], wire)
    # token, roles, teams, (the conversation), rows, attachments
    with django_assert_max_num_queries(6):
        assert len(caller.get(path, limit=200).body["items"]) >= 31


def test_conversations_have_the_fields_of_the_contract_and_come_newest_first(
    caller: Caller, shop: Shop
) -> None:
    receive(shop.session, text_message("later", sender="guo@im.wechat"))
    items = caller.get("/conversations").body["items"]
    assert [one["user_id"] for one in items] == ["guo@im.wechat", "lina@im.wechat"]
    one = items[1]
    assert set(one) == {
        "id", "user_id", "name", "team", "status", "assignee", "unread", "last_message_at",
        "last_text", "session", "expires_at", "remaining", "labels",
    }  # fmt: skip
    assert one["id"] == str(shop.conversation.pk)
    assert (one["name"], one["team"], one["session"]) == (None, "Everyone", "Shop A")
    assert (one["status"], one["assignee"], one["labels"]) == ("open", None, [])
    assert (one["unread"], one["last_text"], one["remaining"]) == (1, "hello", 10)
    assert ISO.match(one["expires_at"])
    assert caller.get(f"/conversations/{one['id']}").body == one


def test_conversations_are_paged_and_found_by_name_and_id(caller: Caller, shop: Shop) -> None:
    people = [text_message("x", sender=f"p{n}@im.wechat") for n in range(4)]
    for one in people:
        receive(shop.session, one)
    caller.patch("/contacts/p3@im.wechat", {"name": "Guo Ming"})
    seen, cursor = [], ""
    while True:
        page = caller.get("/conversations", limit=2, cursor=cursor).body
        seen += [one["user_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"p{n}@im.wechat" for n in (3, 2, 1, 0)] + ["lina@im.wechat"]
    found = caller.get("/conversations", q="guo").body["items"]
    assert [one["name"] for one in found] == ["Guo Ming"]
    assert [one["user_id"] for one in caller.get("/conversations", q="p2@").body["items"]] == [
        "p2@im.wechat"
    ]
    assert caller.get("/conversations", cursor="YWJj").body["error"]["field"] == "cursor"


def test_a_contact_shows_what_each_account_may_still_send(
    caller: Caller, shop: Shop, cast: Cast
) -> None:
    other = make_session("Shop B")
    receive(other, text_message("to B too"))
    yesterday = timezone.now() - timedelta(hours=25)
    shop.session.contexts.update(received_at=yesterday)
    got = caller.get("/contacts/lina@im.wechat").body
    assert set(got) == {"user_id", "name", "note", "fields", "blocked", "contexts"}
    assert (got["note"], got["fields"], got["blocked"]) == (None, {}, False)
    newest, oldest = got["contexts"]
    assert (newest["session"], newest["remaining"], newest["usable"]) == ("Shop B", 10, True)
    assert (oldest["session"], oldest["usable"]) == ("Shop A", False)
    assert ISO.match(oldest["expires_at"])


def test_a_contact_is_named_and_the_rest_comes_later(caller: Caller, shop: Shop) -> None:
    path = "/contacts/lina@im.wechat"
    assert caller.patch(path, {"name": "  Li   Na "}).body["name"] == "Li Na"
    assert caller.get("/conversations").body["items"][0]["name"] == "Li Na"
    assert caller.patch(path, {"note": "writes late"}).body["note"] == "writes late"
    assert caller.patch(path, {"note": None}).body["note"] is None
    assert caller.patch(path, {"note": "x" * 2_001}).status == 422
    later: list[dict[str, Any]] = [{"fields": {}}, {"blocked": True}]
    for change in (*later, {"name": "B", "fields": {}}):
        assert caller.patch(path, change).code == "not_available"
    assert caller.get(path).body["name"] == "Li Na"
    assert caller.patch(path, {"name": None}).body["name"] is None
    assert caller.patch(path, {"name": "x" * 81}).status == 422
    assert caller.get("/contacts/nobody").code == "not_found"
    assert caller.post(f"{path}/typing", {"on": True}).status == 202
    assert Conversation.objects.count() == 1


def test_each_team_has_its_own_name_and_note_for_a_contact(
    callers: dict[str, Caller], shop: Shop, cast: Cast
) -> None:
    receive(make_session("Shop B", team=cast.other_team), text_message("to B too"), cursor="b")
    path, ours, theirs = "/contacts/lina@im.wechat", callers["agent"], callers["agent_elsewhere"]
    ours.patch(path, {"name": "Vip", "note": "owes us"})
    assert (theirs.get(path).body["name"], theirs.get(path).body["note"]) == (None, None)
    theirs.patch(path, {"name": "Mrs Li"})
    assert ours.get(path).body["name"] == "Vip"
    assert not theirs.get("/conversations", q="vip").body["items"]
    # Who is in no such team, or not in it, learns nothing from asking for it.
    for team in (cast.team.name, "Nowhere", "x" * 80):
        assert theirs.get(path, team=team).code == "not_found"
        assert theirs.patch(path, {"name": "x"}, team=team).code == "not_found"


def test_who_is_in_several_teams_says_whose_name_is_meant(
    callers: dict[str, Caller], shop: Shop, cast: Cast
) -> None:
    receive(make_session("Shop B", team=cast.other_team), text_message("to B too"), cursor="b")
    path, both = "/contacts/lina@im.wechat", callers["administrator"]
    both.patch(path, {"name": "Vip"}, team=cast.team.name)
    assert both.get(path).body["name"] is None  # the newest conversation is the other team's
    assert both.patch(path, {"note": "polite"}).body["note"] == "polite"
    assert callers["agent_elsewhere"].get(path).body["note"] == "polite"
    assert callers["agent"].get(path).body["note"] is None
    receive(shop.session, text_message("to A again"), cursor="c")
    assert both.get(path).body["name"] == "Vip"
    assert both.get(path, team=cast.other_team.name).body["note"] == "polite"
