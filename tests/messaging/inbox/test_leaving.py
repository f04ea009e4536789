"""Who leaves hands their conversations over; who is disabled, has them handed over."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.conversations import leavers, work
from messaging.conversations.event_words import event_sentence
from messaging.models import Conversation, Draft, Message, ParkedReply
from messaging.replying import parking
from sessions_app.models import Session, User
from sessions_app.people.directory import services
from sessions_app.people.roles import Role
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.sessions_app.people.directory_pages import as_

pytestmark = pytest.mark.django_db


def conversations(cast: Cast, *people: str, session: Session | None = None) -> list[Conversation]:
    """Assigned to the agent."""
    session = session or make_session()
    for name in people:
        receive(session, text_message("hi", sender=f"{name}@im.wechat"))
    found = list(Conversation.objects.filter(session=session).order_by("pk"))
    work.assign(ids=[one.pk for one in found], assignee=cast.agent, user=None)
    return found


def disable(cast: Cast, to: User | None = None, **how: Any) -> Any:
    return as_(cast.administrator).post(
        f"/people/{cast.agent.pk}/disable/", {"to": to.pk if to else ""}, **how
    )


def owners() -> list[str | None]:
    rows = Conversation.objects.order_by("pk")
    return list(rows.values_list("assignee__username", flat=True))


def said(conversation: Conversation) -> list[str]:
    lines = Message.objects.filter(conversation=conversation, direction="event").order_by("pk")
    return [event_sentence(one) for one in lines]


def test_the_conversations_of_whoever_is_disabled_go_back_to_the_queue(cast: Cast) -> None:
    first, *_ = conversations(cast, "a", "b")
    answer = disable(cast, follow=True)
    page = answer.content.decode()
    assert "is disabled. 2 conversations are unassigned now." in page
    assert owners() == [None, None]
    assert "put this back into the queue" in said(first)[-1]
    assert not User.objects.get(pk=cast.agent.pk).is_active


def test_or_to_a_colleague_snoozed_ones_too_and_resolved_ones_stay(cast: Cast) -> None:
    first, snoozed, resolved = conversations(cast, "a", "b", "c")
    work.snooze(ids=[snoozed.pk], until=timezone.now() + timedelta(hours=1), user=cast.agent)
    work.resolve(ids=[resolved.pk], user=cast.agent)
    page = as_(cast.administrator).get(f"/people/{cast.agent.pk}/disable/").content.decode()
    assert "Who takes over 2 open and snoozed conversations" in page
    assert f'<option value="{cast.supervisor.pk}">sue</option>' in page
    answer = disable(cast, cast.supervisor, follow=True)
    assert "2 conversations were assigned to" in answer.content.decode()
    assert owners() == ["sue", "sue", "wei"]
    assert "assigned this to" in said(first)[-1]
    assert leavers.release_all() == 0


def test_only_who_may_answer_in_all_the_teams_is_offered(cast: Cast) -> None:
    conversations(cast, "a")
    cast.agent.teams.add(cast.other_team)
    both = make_user("bea", Role.AGENT, cast.team, cast.other_team)
    assert cast.supervisor in leavers.successors_of(cast.agent)
    conversations(cast, "b", session=make_session("Shop B", team=cast.other_team))
    assert leavers.successors_of(cast.agent) == [cast.administrator, both]
    for person in (cast.supervisor, cast.agent_elsewhere, cast.viewer, cast.agent):
        answer = disable(cast, person)
        assert answer.status_code == 422
        assert "Choose again" in answer.content.decode()
    assert User.objects.get(pk=cast.agent.pk).is_active
    disable(cast, both)
    assert owners() == ["bea", "bea"]


def test_a_colleague_who_took_one_meanwhile_keeps_it(cast: Cast) -> None:
    first, second = conversations(cast, "a", "b")
    work.assign(ids=[first.pk], assignee=cast.supervisor, user=None)
    services.disable_person(person_id=cast.agent.pk, by=cast.administrator)
    leavers.release_all()  # the worker was quicker
    done = leavers.hand_over(
        member=cast.agent, ids=[first.pk, second.pk], to=cast.administrator, user=None
    )
    assert (done.given, done.released) == (1, 0)
    assert owners() == ["sue", "ada"]


def test_the_dialog_without_conversations_asks_nothing_more(cast: Cast) -> None:
    client = as_(cast.administrator)
    page = client.get(f"/people/{cast.agent.pk}/disable/", headers={"HX-Request": "true"})
    assert "No open conversation is assigned." in page.content.decode()
    assert "<html" not in page.content.decode()
    answer = disable(cast, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/people/{cast.agent.pk}/"
    again = disable(cast, follow=True)
    assert "Somebody else has disabled" in again.content.decode()


def test_parked_replies_stay_for_the_team_and_drafts_for_their_writer(
    cast: Cast, limited: Any
) -> None:
    [conversation] = conversations(cast, "a")
    Draft.objects.create(conversation=conversation, user=cast.agent, key="d", text="half a secret")
    parked = ParkedReply.objects.create(
        conversation=conversation,
        by=cast.agent,
        text="when you write",
        expires_at=timezone.now() + timedelta(days=1),
    )
    page = as_(cast.administrator).get(f"/people/{cast.agent.pk}/disable/").content.decode()
    assert "any colleague of the team can send them" in page
    disable(cast, cast.supervisor)
    seen = as_(cast.supervisor).get(f"/inbox/{conversation.pk}/").content.decode()
    assert "when you write" in seen
    assert "half a secret" not in seen
    assert Draft.objects.get().text == "half a secret"
    parking.discard_parked(parked=parked, user=cast.supervisor)
    parked.refresh_from_db()
    assert parked.decided_by == cast.supervisor


def test_who_leaves_hands_them_over_and_stays_signed_in(cast: Cast) -> None:
    first, *_ = conversations(cast, "a", "b")
    client = as_(cast.agent)
    assert 'href="/account/leaving/"' in client.get("/account/").content.decode()
    page = client.get("/account/leaving/").content.decode()
    assert f'<option value="{cast.supervisor.pk}">sue</option>' in page
    answer = client.post("/account/leaving/", {"to": cast.supervisor.pk}, follow=True)
    assert answer.redirect_chain == [("/account/", 302)]
    assert "2 conversations were assigned to" in answer.content.decode()
    assert owners() == ["sue", "sue"]
    assert "assigned this to" in said(first)[-1]
    again = client.post("/account/leaving/", {"to": ""}, follow=True)
    assert "You have no open conversation." in again.content.decode()


def test_who_leaves_may_name_nobody(cast: Cast) -> None:
    conversations(cast, "a")
    answer = as_(cast.agent).post("/account/leaving/", {"to": ""}, follow=True)
    assert "1 conversation is unassigned now." in answer.content.decode()
    assert owners() == [None]


def test_who_leaves_names_only_colleagues_who_may_answer(cast: Cast) -> None:
    conversations(cast, "a")
    for person in (cast.viewer, cast.agent_elsewhere, cast.agent):
        answer = as_(cast.agent).post("/account/leaving/", {"to": person.pk})
        assert answer.status_code == 422
        assert "Choose again" in answer.content.decode()
    assert owners() == ["wei"]


@pytest.mark.parametrize("person", ["operator", "viewer", "outsider"])
def test_who_cannot_answer_has_nothing_to_hand_over(cast: Cast, person: str) -> None:
    client = as_(getattr(cast, person))
    assert client.get("/account/leaving/").status_code == 403
    assert client.post("/account/leaving/").status_code == 403
    assert "/account/leaving/" not in client.get("/account/").content.decode()
