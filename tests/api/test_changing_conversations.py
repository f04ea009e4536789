"""What a program does with conversations: filter by status and agent, change all or nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.conversations import work
from messaging.models import Conversation, Label, Message
from tests.api.callers import Caller, calling
from tests.api.conftest import Shop
from tests.conftest import Cast
from tests.messaging.builders import receive, text_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.agent)


def _path(shop: Shop) -> str:
    return f"/conversations/{shop.conversation.pk}"


def _later(hours: int = 5) -> str:
    return (timezone.now() + timedelta(hours=hours)).isoformat()


def test_conversations_are_filtered_by_status_and_by_agent(
    cast: Cast, caller: Caller, shop: Shop
) -> None:
    receive(shop.session, text_message("x", sender="guo@im.wechat"))
    guo = Conversation.objects.get(contact__user_id="guo@im.wechat")
    work.assign(ids=[guo.pk], assignee=cast.supervisor, user=cast.agent)
    work.resolve(ids=[shop.conversation.pk], user=cast.agent)

    def found(**query: str) -> list[str]:
        return [one["user_id"] for one in caller.get("/conversations", **query).body["items"]]

    assert found(status="open") == ["guo@im.wechat"]
    assert found(status="resolved") == ["lina@im.wechat"]
    assert found(status="snoozed") == []
    assert found(assignee="sue") == ["guo@im.wechat"]
    assert found(assignee="-") == ["lina@im.wechat"]
    assert found(assignee="nobody-of-this-name") == []
    assert found(assignee="sue", status="resolved") == []
    assert caller.get("/conversations", status="closed").status == 422


def test_all_that_is_named_is_changed_at_once(cast: Cast, caller: Caller, shop: Shop) -> None:
    answer = caller.patch(
        _path(shop), {"status": "resolved", "assignee": "sue", "labels": ["VIP", "退货"]}
    )
    assert answer.status == 200
    assert (answer.body["status"], answer.body["assignee"]) == ("resolved", "sue")
    assert answer.body["labels"] == ["VIP", "退货"]
    assert caller.get(_path(shop)).body == answer.body
    codes = Message.objects.filter(direction="event").order_by("id").values_list("event", flat=True)
    assert list(codes) == ["assigned", "labelled", "resolved"]
    again = caller.patch(_path(shop), {"labels": ["退货"], "assignee": None, "status": "open"}).body
    assert (again["status"], again["assignee"], again["labels"]) == ("open", None, ["退货"])


def test_a_time_snoozes_and_none_wakes(caller: Caller, shop: Shop) -> None:
    until = _later()
    assert caller.patch(_path(shop), {"snoozed_until": until}).body["status"] == "snoozed"
    row = Conversation.objects.get()
    assert row.snoozed_until is not None
    assert row.snoozed_until.isoformat() == until
    assert caller.patch(_path(shop), {"snoozed_until": None}).body["status"] == "open"
    answer = caller.patch(_path(shop), {"status": "snoozed", "snoozed_until": _later(7)})
    assert answer.body["status"] == "snoozed"


def test_a_conversation_goes_to_another_team_and_is_the_callers_no_more(
    cast: Cast, caller: Caller, shop: Shop
) -> None:
    answer = caller.patch(_path(shop), {"team": "Other team"})
    assert (answer.status, answer.body["team"]) == (200, "Other team")
    assert caller.get(_path(shop)).status == 404
    assert calling(cast.agent_elsewhere).get(_path(shop)).body["team"] == "Other team"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "closed"}, "status"),
        ({"status": None}, "status"),
        ({"status": "snoozed"}, "snoozed_until"),
        ({"status": "resolved", "snoozed_until": "2100-01-01T00:00:00Z"}, "snoozed_until"),
        ({"snoozed_until": "2020-01-01T00:00:00Z"}, "snoozed_until"),
        ({"snoozed_until": "tomorrow"}, "snoozed_until"),
        ({"snoozed_until": "2100-01-01T00:00:00"}, "snoozed_until"),
        ({"assignee": "nobody-of-this-name"}, "assignee"),
        ({"assignee": "vic"}, "assignee"),
        ({"assignee": "eve"}, "assignee"),
        ({"labels": ["", "x"]}, "labels"),
        ({"labels": ["x" * 41]}, "labels"),
        ({"team": "no such team"}, "team"),
        ({"team": None}, "team"),
        ({"colour": 3}, "colour"),
    ],
)
def test_what_cannot_be_is_said_by_its_field_and_nothing_is_changed(
    caller: Caller, shop: Shop, change: dict[str, Any], field: str
) -> None:
    before = caller.get(_path(shop)).body
    answer = caller.patch(_path(shop), {"labels": ["kept off"], **change})
    assert (answer.status, answer.body["error"]["field"]) == (422, field), answer
    assert caller.get(_path(shop)).body == before
    assert Label.objects.count() == 0
    assert not Message.objects.filter(direction="event").exists()
