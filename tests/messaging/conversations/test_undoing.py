"""Undo of what was done with conversations: exactly as it was, unless somebody changed it since."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.conversations import events, labelling, undo_notes, undoing, work
from messaging.models import Conversation, EventCode, Label, Message, WorkAction, WorkChange
from messaging.models.work_action import WorkAction as Action
from messaging.replying import services
from sessions_app.models import Session, Team, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
KEPT = ("status", "snoozed_until", "missed_at", "unread", "team_id", "assignee_id")


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversations(cast: Cast, shop: Session) -> list[Conversation]:
    """One as it came, one snoozed and mine with a label, one resolved, one of a colleague's."""
    for person in "abcd":
        receive(shop, text_message("hi", sender=f"{person}@im.wechat"), cursor=person)
    first, second, third, fourth = Conversation.objects.order_by("pk")
    later = timezone.now() + timedelta(hours=3)
    work.assign(ids=[second.pk], assignee=cast.agent, user=None)
    work.label(ids=[second.pk], add=["refund", "VIP"], user=None)
    work.snooze(ids=[second.pk], until=later, user=None)
    work.resolve(ids=[third.pk], user=None)
    work.assign(ids=[fourth.pk], assignee=cast.supervisor, user=None)
    return [first, second, third, fourth]


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def snapshot() -> dict[int, Any]:
    rows = Conversation.objects.order_by("pk")
    labels = labelling.carried(rows)
    return {row.pk: ([getattr(row, name) for name in KEPT], labels[row.pk]) for row in rows}


def said(answer: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer["HX-Trigger"])["console:said"]
    return found


def post(user: User, act: str, conversations: list[Conversation], **data: Any) -> dict[str, str]:
    """Do it from the list; what the page says then."""
    ids = [conversation.pk for conversation in conversations]
    answer = as_(user).post(f"/inbox/work/{act}/", {"ids": ids, **data}, headers=HTMX)
    assert answer.status_code == 200
    return said(answer)


def undo(user: User, action: str) -> str:
    answer = as_(user).post("/inbox/work/undo/", {"action": action}, headers=HTMX)
    assert answer.status_code == 200
    return said(answer)["words"]


def lines(conversation: Conversation) -> list[str]:
    return list(
        conversation.messages.filter(direction="event")
        .order_by("id")
        .values_list("event", flat=True)
    )


ACTS: dict[str, Callable[[Cast], dict[str, Any]]] = {
    "resolve": lambda cast: {},
    "reopen": lambda cast: {},
    "snooze": lambda cast: {"until": (timezone.now() + timedelta(hours=1)).isoformat()},
    "assign": lambda cast: {"assignee": str(cast.supervisor.pk)},
    "label": lambda cast: {"done": "1", "labels": ["new one"], "had": ["refund"], "new": "VIP"},
    "transfer": lambda cast: {"team": str(cast.other_team.pk)},
}


@pytest.mark.parametrize("act", ACTS)
def test_every_action_is_undone_exactly(
    cast: Cast, conversations: list[Conversation], act: str
) -> None:
    user = cast.administrator  # who sees both teams
    before = snapshot()
    changed = post(user, act, conversations, **ACTS[act](cast))
    assert snapshot() != before
    count = WorkChange.objects.count()
    told = {conversation.pk: len(lines(conversation)) for conversation in conversations}
    numbers = dict(Conversation.objects.values_list("pk", "version"))
    touched = set(WorkChange.objects.values_list("conversation", flat=True))

    words = undo(user, changed["action"])
    expected = (
        f"Undone. {count} conversations are as they were."
        if count > 1
        else "Undone. The conversation is as it was."
    )
    assert words == expected
    assert snapshot() == before
    for conversation in conversations:
        fresh = lines(conversation)[told[conversation.pk] :]
        assert fresh == (["undone"] if conversation.pk in touched else [])
    for conversation in Conversation.objects.all():
        # Whoever has it open hears of it.
        assert (conversation.version > numbers[conversation.pk]) == (conversation.pk in touched)


@pytest.mark.parametrize("act", ACTS)
def test_undoing_twice_is_undoing_once(
    cast: Cast, conversations: list[Conversation], act: str
) -> None:
    user = cast.administrator
    changed = post(user, act, conversations, **ACTS[act](cast))
    first = undo(user, changed["action"])
    work.assign(ids=[conversations[0].pk], assignee=user, user=user)
    after, count = snapshot(), Message.objects.count()
    assert undo(user, changed["action"]) == first
    assert (snapshot(), Message.objects.count()) == (after, count)


def test_what_changed_meanwhile_is_left_and_said(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations)
    assert changed["words"] == "3 conversations resolved."
    work.reopen(ids=[conversations[1].pk], user=cast.supervisor)
    assert undo(cast.agent, changed["action"]) == "2 of 3 undone; 1 changed meanwhile."
    assert Conversation.objects.get(pk=conversations[1].pk).status == "open"
    assert lines(conversations[1])[-1] == "reopened"
    assert Conversation.objects.get(pk=conversations[0].pk).status == "open"


def test_what_a_customer_wrote_meanwhile_stays(
    cast: Cast, shop: Session, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations[:2])
    receive(shop, text_message("one more thing", sender="b@im.wechat"), cursor="e")
    assert undo(cast.agent, changed["action"]) == "1 of 2 undone; 1 changed meanwhile."
    second = Conversation.objects.get(pk=conversations[1].pk)
    assert (second.status, second.snoozed_until, second.unread) == ("open", None, 1)


def test_a_colleague_who_did_the_same_again_is_not_undone(
    cast: Cast, conversations: list[Conversation]
) -> None:
    """It looks as the action left it, and it is somebody else's doing."""
    changed = post(cast.agent, "resolve", conversations[:1])
    work.reopen(ids=[conversations[0].pk], user=cast.supervisor)
    work.resolve(ids=[conversations[0].pk], user=cast.supervisor)
    assert undo(cast.agent, changed["action"]) == "0 of 1 undone; 1 changed meanwhile."
    assert Conversation.objects.get(pk=conversations[0].pk).status == "resolved"


def test_other_things_that_happened_do_not_stand_in_the_way(
    cast: Cast, shop: Session, conversations: list[Conversation]
) -> None:
    """An assignment is undone though the customer wrote and somebody stuck a label on."""
    changed = post(cast.agent, "assign", conversations[:1], assignee="me")
    receive(shop, text_message("hello?", sender="a@im.wechat"), cursor="e")
    work.label(ids=[conversations[0].pk], add=["VIP"], user=cast.supervisor)
    assert undo(cast.agent, changed["action"]) == "Undone. The conversation is as it was."
    first = Conversation.objects.get(pk=conversations[0].pk)
    assert (first.assignee, first.unread) == (None, 2)
    assert labelling.carried([first])[first.pk] == ["VIP"]


def test_what_was_read_meanwhile_is_not_unread_again(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations[:1])
    first = Conversation.objects.get(pk=conversations[0].pk)
    newest = first.messages.filter(direction="in").latest("id").pk
    services.mark_read(conversation=first, up_to=newest, user=cast.agent)
    undo(cast.agent, changed["action"])
    first.refresh_from_db()
    assert (first.status, first.unread) == ("open", 0)


def test_two_actions_are_undone_one_after_the_other(
    cast: Cast, conversations: list[Conversation]
) -> None:
    before = snapshot()
    assigned = post(cast.agent, "assign", conversations[:1], assignee="me")
    resolved = post(cast.agent, "resolve", conversations[:1])
    undo(cast.agent, resolved["action"])
    undo(cast.agent, assigned["action"])
    assert snapshot() == before


def test_only_who_did_it_undoes_it_and_not_for_ever(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations[:1])
    late = "It is too late to undo this."
    for user in (cast.supervisor, cast.administrator, cast.agent_elsewhere):
        assert undo(user, changed["action"]) == late
    for wrong in ("", "x", "0", "9" * 30, "-1"):
        assert undo(cast.agent, wrong) == late
    for user in (cast.viewer, cast.operator, cast.outsider):
        answer = as_(user).post("/inbox/work/undo/", {"action": changed["action"]}, headers=HTMX)
        assert answer.status_code == 403
    Action.objects.update(created_at=timezone.now() - undo_notes.UNDO_FOR - timedelta(seconds=1))
    assert undo(cast.agent, changed["action"]) == late
    assert Conversation.objects.get(pk=conversations[0].pk).status == "resolved"
    post(cast.agent, "reopen", conversations[:1])
    assert WorkAction.objects.count() == 1  # the old one is forgotten


def test_where_rights_ended_nothing_is_undone(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations[:1])
    cast.agent.teams.clear()
    assert undo(cast.agent, changed["action"]) == "0 of 1 undone; 1 changed meanwhile."
    assert Conversation.objects.get(pk=conversations[0].pk).status == "resolved"


def test_who_had_it_before_must_still_be_able_to_answer(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "assign", conversations[3:], assignee="me")
    User.objects.filter(pk=cast.supervisor.pk).update(is_active=False)
    assert undo(cast.agent, changed["action"]) == "0 of 1 undone; 1 changed meanwhile."
    assert Conversation.objects.get(pk=conversations[3].pk).assignee == cast.agent


def test_a_hand_over_out_of_sight_offers_no_undo(
    cast: Cast, conversations: list[Conversation]
) -> None:
    assert (
        post(cast.agent, "transfer", conversations[:1], team=str(cast.other_team.pk))["action"]
        == ""
    )
    assert not WorkAction.objects.exists()
    cast.agent.teams.add(cast.other_team)
    assert post(cast.agent, "transfer", conversations[1:2], team=str(cast.other_team.pk))["action"]


def test_nothing_changed_is_nothing_to_undo(cast: Cast, conversations: list[Conversation]) -> None:
    assert post(cast.agent, "reopen", conversations[:1]) == {
        "words": "0 conversations reopened.",
        "action": "",
    }


def test_any_number_is_undone_in_bounded_transactions(
    cast: Cast, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    before = snapshot()
    changed = post(cast.agent, "resolve", [], scope="all", sure="1")
    assert changed["words"] == "3 conversations resolved."
    assert undo(cast.agent, changed["action"]) == "Undone. 3 conversations are as they were."
    assert snapshot() == before


def test_an_undo_that_was_cut_off_goes_on_where_it_was(
    cast: Cast, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    before = snapshot()
    changed = post(cast.agent, "resolve", conversations)
    whole = events.record_events
    calls: list[int] = []

    def once(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the power went out")
        return whole(*args, **more)

    monkeypatch.setattr(undoing, "record_events", once)
    with pytest.raises(RuntimeError):
        undo(cast.agent, changed["action"])
    assert undo(cast.agent, changed["action"]) == "Undone. 3 conversations are as they were."
    assert snapshot() == before
    assert Message.objects.filter(event=EventCode.UNDONE).count() == 3


def test_a_team_that_is_gone_takes_nothing_back(
    cast: Cast, conversations: list[Conversation]
) -> None:
    third = Team.objects.create(name="Third")
    Conversation.objects.filter(pk=conversations[0].pk).update(team=third)
    moved = post(cast.administrator, "transfer", conversations[:1], team=str(cast.other_team.pk))
    Label.objects.filter(team=third).delete()
    Conversation.objects.get(pk=conversations[0].pk).departures.all().delete()
    Team.objects.filter(pk=third.pk).delete()
    assert undo(cast.administrator, moved["action"]) == "0 of 1 undone; 1 changed meanwhile."


def test_without_javascript_it_is_said_on_the_next_page_and_undone_from_there(
    cast: Cast, conversations: list[Conversation]
) -> None:
    client, before = as_(cast.agent), snapshot()
    data = {"ids": [conversations[0].pk], "single": "1", "list": "view=mine"}
    page = client.post("/inbox/work/resolve/", data, follow=True)
    assert page.redirect_chain[-1][0] == f"/inbox/{conversations[0].pk}/?view=mine"
    assert "1 conversation resolved." in page.content.decode()
    action = WorkAction.objects.get()
    assert f'name="action" value="{action.pk}"' in page.content.decode()
    page = client.post("/inbox/work/undo/", {"action": action.pk, "list": "view=mine"}, follow=True)
    assert page.redirect_chain[-1][0] == "/inbox/?view=mine"
    assert "Undone. The conversation is as it was." in page.content.decode()
    assert snapshot() == before


def test_without_javascript_a_snooze_past_the_window_is_asked_about_once_more(
    cast: Cast, conversations: list[Conversation]
) -> None:
    until = (timezone.now() + timedelta(days=3)).isoformat()
    data = {"ids": [conversations[0].pk], "single": "1", "until": until}
    page = as_(cast.agent).post("/inbox/work/snooze/", data)
    assert page.status_code == 200
    assert 'name="sure"' in page.content.decode()
    done = as_(cast.agent).post("/inbox/work/snooze/", {**data, "sure": "1"})
    assert done["Location"] == f"/inbox/{conversations[0].pk}/"


def test_the_line_in_the_thread_names_the_action_in_both_languages(
    cast: Cast, conversations: list[Conversation]
) -> None:
    changed = post(cast.agent, "resolve", conversations[:1])
    undo(cast.agent, changed["action"])
    page = as_(cast.agent).get(f"/inbox/{conversations[0].pk}/").content.decode()
    assert "wei undid “Resolve”" in page
    chinese = as_(cast.agent).get(
        f"/inbox/{conversations[0].pk}/", headers={"Accept-Language": "zh-cn"}
    )
    assert "wei 撤销了“解决”" in chinese.content.decode()
