"""Parked replies: they wait until the person writes, and go only when an agent says so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations.errors import ReplyError
from messaging.models import Conversation, Message, ParkedReply
from messaging.replying import parking
from sessions_app.models import Context, Session, User
from sessions_app.team_settings.limits import TeamSettings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    Context.objects.update(received_at=timezone.now() - timedelta(hours=25))
    return Conversation.objects.get()


def park(
    conversation: Conversation, user: User, text: str = "later then", key: str = "k"
) -> ParkedReply:
    return parking.park(
        user=user, conversation=conversation, text=text, draft_key=key, limits=TeamSettings()
    )


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(conversation: Conversation, user: User) -> str:
    return as_(user).get(f"/inbox/{conversation.pk}/").content.decode()


def write_again(shop: Session) -> None:
    receive(shop, text_message("still there?"), cursor="c2", asked_with="c1")


def test_a_closed_composer_offers_to_park(cast: Cast, conversation: Conversation) -> None:
    assert 'name="park"' in page(conversation, cast.agent)
    form = {"text": "later then", "draft_key": "k", "park": "1"}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX)
    assert answer.status_code == 200
    assert ParkedReply.objects.get().text == "later then"
    assert not Message.objects.filter(direction="out").exists()


def test_it_waits_and_the_team_sees_it(cast: Cast, conversation: Conversation) -> None:
    park(conversation, cast.agent)
    shown = page(conversation, cast.viewer)
    assert "later then" in shown
    assert "Waiting for Customer 0001 to write" in shown
    assert "Review and send" not in shown
    assert "Review and send" not in page(conversation, cast.supervisor)


def test_when_the_person_writes_it_may_be_reviewed_and_never_goes_alone(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    park(conversation, cast.agent)
    write_again(shop)
    assert not Message.objects.filter(direction="out").exists()
    shown = page(conversation, cast.supervisor)
    assert "Review and send" in shown
    assert "by wei" in shown


def test_one_click_sends_it_in_the_name_of_who_reviewed_it(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    parked = park(conversation, cast.agent)
    write_again(shop)
    url = f"/inbox/parked/{parked.pk}/send/"
    assert as_(cast.supervisor).post(url, headers=HTMX).status_code == 200
    message = Message.objects.get(direction="out")
    assert (message.text, message.sent_by) == ("later then", cast.supervisor)
    parked.refresh_from_db()
    assert (parked.state, parked.message) == ("sent", message)
    late = as_(cast.agent).post(url, headers=HTMX)
    assert late.status_code == 422
    assert Message.objects.filter(direction="out").count() == 1


def test_what_may_not_go_stays_parked(cast: Cast, conversation: Conversation) -> None:
    parked = park(conversation, cast.agent)
    answer = as_(cast.agent).post(f"/inbox/parked/{parked.pk}/send/", headers=HTMX)
    assert answer.status_code == 422
    assert "24-hour reply window is closed" in answer.content.decode()
    parked.refresh_from_db()
    assert parked.state == "waiting"


def test_editing_brings_it_into_the_composer(cast: Cast, conversation: Conversation) -> None:
    parked = park(conversation, cast.agent)
    answer = as_(cast.supervisor).post(
        f"/inbox/parked/{parked.pk}/edit/", headers={**HTMX, "Live-Open": str(conversation.pk)}
    )
    assert "data-draft-text>later then</textarea>" in answer.content.decode()
    assert drafts.draft_of(cast.supervisor, conversation).text == "later then"
    parked.refresh_from_db()
    assert parked.state == "discarded"


def test_discarding_is_once(cast: Cast, conversation: Conversation) -> None:
    parked = park(conversation, cast.agent)
    url = f"/inbox/parked/{parked.pk}/discard/"
    assert as_(cast.agent).post(url, headers=HTMX).status_code == 200
    assert as_(cast.agent).post(url, headers=HTMX).status_code == 422
    assert "later then" not in page(conversation, cast.agent)


def test_parking_twice_with_one_draft_parks_once_and_consumes_it(
    cast: Cast, conversation: Conversation
) -> None:
    drafts.save_draft(
        user=cast.agent,
        conversation=conversation,
        kind="reply",
        text="later then",
        key="k",
        number=0,
    )
    park(conversation, cast.agent)
    park(conversation, cast.agent)
    assert ParkedReply.objects.count() == 1
    assert drafts.draft_of(cast.agent, conversation).text == ""
    with pytest.raises(ReplyError):
        park(conversation, cast.agent, "  ", "other")


def test_they_expire(cast: Cast, conversation: Conversation) -> None:
    parked = park(conversation, cast.agent)
    now = timezone.now()
    assert parked.expires_at - now > timedelta(days=6)
    assert parking.expire_due(now) == 0
    assert parking.waiting_in(conversation, now=now) == [parked]
    later = now + timedelta(days=8)
    assert parking.waiting_in(conversation, now=later) == []
    conversation.refresh_from_db()
    before = conversation.version
    assert parking.expire_due(later) == 1
    parked.refresh_from_db()
    conversation.refresh_from_db()
    assert parked.state == "expired"
    assert conversation.version > before


def test_a_failed_reply_can_be_parked_instead(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    write_again(shop)
    client = as_(cast.agent)
    client.post(f"/inbox/{conversation.pk}/reply/", {"text": "late", "draft_key": "a"})
    Message.objects.filter(direction="out").update(
        status="failed", holds_queue=True, error_code="window_closed"
    )
    message = Message.objects.get(direction="out")
    url = f"/inbox/messages/{message.pk}/park/"
    assert client.post(url, headers=HTMX).status_code == 200
    assert client.post(url, headers=HTMX).status_code == 422
    message.refresh_from_db()
    assert (message.holds_queue, ParkedReply.objects.get().text) == (False, "late")


@pytest.mark.parametrize("action", ["send", "edit", "discard"])
def test_who_may_decide_about_a_parked_reply(
    cast: Cast, conversation: Conversation, action: str
) -> None:
    parked = park(conversation, cast.agent)
    url = f"/inbox/parked/{parked.pk}/{action}/"
    for user in (cast.operator, cast.viewer, cast.outsider):
        assert as_(user).post(url).status_code == 403
    assert as_(cast.agent_elsewhere).post(url).status_code == 404
    assert as_(cast.agent).get(url).status_code == 405
    parked.refresh_from_db()
    assert parked.state == "waiting"
