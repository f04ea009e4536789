"""Actions on one conversation, several, or all that match: who may, what is asked, what is said."""

import json
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.conversations import snooze_times, work
from messaging.models import Conversation, Message
from sessions_app.models import Session, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ACTS = ("assign", "label", "snooze", "resolve", "reopen", "transfer")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversations(shop: Session) -> list[Conversation]:
    for person in "abcd":
        receive(shop, text_message("hi", sender=f"{person}@im.wechat"), cursor=person)
    return list(Conversation.objects.order_by("pk"))


def post(user: User, act: str, data: dict[str, Any], **headers: str) -> Any:
    return as_(user).post(f"/inbox/work/{act}/", data, headers={**HTMX, **headers})


def single(conversation: Conversation, **data: Any) -> dict[str, Any]:
    return {"ids": [conversation.pk], "single": "1", **data}


def said(answer: Any) -> str:
    """What the page says in a corner once it has the answer."""
    return str(json.loads(answer["HX-Trigger"])["console:said"]["words"])


def lines() -> list[str]:
    rows = Message.objects.filter(direction="event").order_by("id")
    return list(rows.values_list("event", flat=True))


# Who may


@pytest.mark.parametrize("act", ACTS)
def test_only_who_may_answer_there_works_on_conversations(
    cast: Cast, conversations: list[Conversation], act: str
) -> None:
    data = single(conversations[0], assignee="", done="1", until="", team="x", sure="1")
    for user in (cast.viewer, cast.operator, cast.outsider):
        assert post(user, act, data).status_code == 403, user
    assert post(cast.agent_elsewhere, act, data).status_code == 404
    foreign = post(
        cast.agent_elsewhere, act, {"ids": [one.pk for one in conversations], "sure": "1"}
    )
    assert foreign.status_code == 200
    everything = post(cast.agent_elsewhere, act, {"scope": "all", "sure": "1"})
    assert everything.status_code == 200
    assert set(Conversation.objects.values_list("status", flat=True)) == {"open"}
    assert lines() == []
    for user in (cast.administrator, cast.supervisor, cast.agent):
        assert post(user, act, data).status_code in {200, 422}, user


def test_readers_filter_and_nobody_else_does(cast: Cast, conversations: list[Conversation]) -> None:
    for user in (cast.administrator, cast.supervisor, cast.agent, cast.viewer):
        assert as_(user).get("/inbox/filters/").status_code == 200
    for user in (cast.operator, cast.outsider):
        assert as_(user).get("/inbox/filters/").status_code == 403
    page = as_(cast.agent_elsewhere).get("/inbox/filters/").content.decode()
    assert "Shop A" not in page
    assert "wei" not in page


def test_a_viewer_sees_no_control_that_works_on_conversations(
    cast: Cast, conversations: list[Conversation]
) -> None:
    page = as_(cast.viewer).get(f"/inbox/{conversations[0].pk}/").content.decode()
    for words in ("/inbox/work/", 'name="ids"', "head-actions", "data-selects"):
        assert words not in page


# One conversation


def test_without_a_choice_an_action_asks_for_it(
    cast: Cast, conversations: list[Conversation]
) -> None:
    asked = {
        "assign": 'name="assignee"', "label": 'name="new"', "snooze": 'name="until"',
        "transfer": 'name="team"',
    }  # fmt: skip
    for act, field in asked.items():
        page = post(cast.agent, act, single(conversations[0])).content.decode()
        assert field in page, act
        assert "Customer 0001" in page
        led = as_(cast.agent).post(f"/inbox/work/{act}/", single(conversations[0]))
        whole = as_(cast.agent).get(led["Location"]).content.decode()
        assert field in whole
        assert "<html" in whole
    assert lines() == []


def test_one_is_assigned_to_me_and_its_page_shows_it(
    cast: Cast, conversations: list[Conversation]
) -> None:
    since = f"{cast.team.stream_key}:{conversations[-1].version}"
    headers = {
        "Live-Open": str(conversations[0].pk),
        "Live-Since": since,
        "Live-List": "view=unassigned",
    }
    answer = post(cast.agent, "assign", single(conversations[0], assignee="me"), **headers)
    page = answer.content.decode()
    assert said(answer) == "1 conversation assigned to wei."
    assert re.search(rf'id="conversation-{conversations[0].pk}" data-removed', page)
    assert "Assigned to wei; assign to somebody else" in page
    assert "took this conversation" in page
    assert Conversation.objects.get(pk=conversations[0].pk).assignee == cast.agent


def test_only_who_may_answer_is_offered_and_taken(
    cast: Cast, conversations: list[Conversation]
) -> None:
    page = post(cast.agent, "assign", single(conversations[0])).content.decode()
    offered = set(re.findall(r'name="assignee" value="(\d*)"', page))
    assert offered == {str(one.pk) for one in (cast.administrator, cast.supervisor, cast.agent)} | {
        ""
    }
    post(cast.agent, "assign", single(conversations[0], assignee=str(cast.viewer.pk)))
    assert Conversation.objects.get(pk=conversations[0].pk).assignee is None


def test_snoozing_takes_a_time_that_is_still_to_come(
    cast: Cast, conversations: list[Conversation]
) -> None:
    for wrong in ("", "yesterday", "2020-01-01T00:00:00Z", "9" * 40, "0001-01-01T00:00:00+14:00"):
        answer = post(cast.agent, "snooze", single(conversations[0], until=wrong))
        assert answer.status_code == 422, wrong
        assert "in the future" in answer.content.decode()
    until = timezone.now() + timedelta(hours=2)
    assert (
        post(cast.agent, "snooze", single(conversations[0], until=until.isoformat())).status_code
        == 200
    )
    assert Conversation.objects.get(pk=conversations[0].pk).snoozed_until == until


def test_the_field_for_a_time_means_the_readers_own_zone(
    cast: Cast, conversations: list[Conversation]
) -> None:
    User.objects.update(time_zone="Asia/Shanghai")
    day = (timezone.now() + timedelta(days=3)).date().isoformat()
    post(cast.agent, "snooze", single(conversations[0], until="at", at=f"{day}T09:00", sure="1"))
    until = Conversation.objects.get(pk=conversations[0].pk).snoozed_until
    assert until == datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            "2026-11-24T10:00",
            ["One hour", "Three hours", "This evening", "Tomorrow", "Next Monday"],
        ),
        ("2026-11-24T16:30", ["One hour", "Three hours", "Tomorrow", "Next Monday"]),
        ("2026-11-29T10:00", ["One hour", "Three hours", "This evening", "Tomorrow"]),
    ],
)
def test_the_times_offered_are_to_come_and_in_order(now: str, words: list[str]) -> None:
    with timezone.override("Asia/Shanghai"):
        moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        choices = snooze_times.choices(moment)
    assert [one.words for one in choices] == words
    assert all(one.until > moment for one in choices)
    assert [one.until for one in choices] == sorted(one.until for one in choices)


def test_labels_that_some_carry_are_left_alone_unless_chosen(
    cast: Cast, conversations: list[Conversation]
) -> None:
    work.label(ids=[conversations[0].pk, conversations[1].pk], add=["both"], user=None)
    work.label(ids=[conversations[0].pk], add=["one"], user=None)
    ids = [conversations[0].pk, conversations[1].pk]
    page = post(cast.agent, "label", {"ids": ids}).content.decode()
    assert re.search(r'value="both"\s+checked', page)
    assert re.search(r'value="one"\s+data-some', page)
    post(
        cast.agent, "label", {"ids": ids, "done": "1", "had": ["both"], "labels": [], "new": "VIP"}
    )
    names = [[one.name for one in conversation.labels.all()] for conversation in conversations[:2]]
    assert names == [["VIP", "one"], ["VIP"]]


def test_who_hands_over_what_is_open_goes_back_to_the_list(
    cast: Cast, conversations: list[Conversation]
) -> None:
    data = single(conversations[0], team=str(cast.other_team.pk))
    answer = post(cast.agent, "transfer", data, **{"Live-Open": str(conversations[0].pk)})
    assert answer["HX-Redirect"] == "/inbox/"
    assert as_(cast.agent).get(f"/inbox/{conversations[0].pk}/").status_code == 404
    stays = post(
        cast.administrator, "transfer", single(conversations[1], team=str(cast.other_team.pk))
    )
    assert "HX-Redirect" not in stays


def test_without_javascript_an_action_leads_back_where_it_was_done(
    cast: Cast, conversations: list[Conversation]
) -> None:
    client = as_(cast.agent)
    one = client.post("/inbox/work/resolve/", single(conversations[0], list="view=mine"))
    assert one["Location"] == f"/inbox/{conversations[0].pk}/?view=mine"
    many = client.post("/inbox/work/resolve/", {"ids": [conversations[1].pk], "list": "view=mine"})
    assert many["Location"] == "/inbox/?view=mine"
    assert lines() == ["resolved", "resolved"]


# Several, and all that match


def test_several_are_resolved_and_a_line_says_how_many(
    cast: Cast, conversations: list[Conversation]
) -> None:
    work.resolve(ids=[conversations[0].pk], user=None)
    data = {"ids": [one.pk for one in conversations[:3]] + ["x", "9" * 30]}
    answer = post(cast.agent, "resolve", data, **{"Live-List": "view=unassigned"})
    page = answer.content.decode()
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#list-pane", "outerHTML")
    assert said(answer) == "2 conversations resolved."
    assert 'data-list="view=unassigned"' in page
    assert re.findall(r'<li class="conversation[^"]*" id="conversation-(\d+)"', page) == [
        str(conversations[3].pk)
    ]


def test_all_that_match_is_asked_for_once_more_and_then_done_over_what_is_not_loaded(
    cast: Cast, shop: Session, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.inbox.views.rows.PAGE_ROWS", 2)
    monkeypatch.setattr(work, "BATCH", 2)
    work.assign(ids=[conversations[0].pk], assignee=cast.agent, user=None)
    headers = {"Live-List": "view=unassigned"}
    data: dict[str, Any] = {"scope": "all", "ids": [conversations[0].pk, conversations[1].pk]}
    asked = post(cast.agent, "resolve", data, **headers).content.decode()
    assert "Resolve all 3 conversations" in asked
    assert Conversation.objects.filter(status="resolved").count() == 0
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked))
    assert hidden["scope"] == "all"
    assert "ids" not in hidden
    answer = post(cast.agent, "resolve", {"scope": "all", "sure": "1"}, **headers)
    assert said(answer) == "3 conversations resolved."
    left = Conversation.objects.exclude(status="resolved").values_list("pk", flat=True)
    assert list(left) == [conversations[0].pk]


def test_all_that_match_takes_the_filters_into_account(
    cast: Cast, conversations: list[Conversation]
) -> None:
    work.label(ids=[conversations[2].pk], add=["VIP"], user=None)
    data = {"scope": "all", "assignee": "me"}
    post(cast.agent, "assign", data, **{"Live-List": "label=VIP"})
    mine = Conversation.objects.filter(assignee=cast.agent).values_list("pk", flat=True)
    assert list(mine) == [conversations[2].pk]


def test_a_dialog_asks_the_same_number_of_queries_for_any_number_chosen(
    cast: Cast,
    conversations: list[Conversation],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = as_(cast.agent)
    for ids in ([conversations[0].pk, conversations[1].pk], [one.pk for one in conversations]):
        with django_assert_max_num_queries(12):
            client.post("/inbox/work/label/", {"ids": ids}, headers=HTMX)
