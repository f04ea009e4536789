"""Deleting a session: asked for by name, hidden, its name free, what was said kept."""

import pytest
from django.test import Client

from messaging.models import Message
from sessions_app.models import LoginAttempt, Session, SessionState, User
from sessions_app.sessions import services
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/sessions/"}
PAGE = "/sessions/Old%20shop/delete/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    session = make_session("Old shop")
    receive(session, text_message("Is it open?"))
    services.log_out(session=session, user=None)
    return session


def test_only_those_who_manage_sessions_delete_them(cast: Cast, shop: Session) -> None:
    for user in (cast.supervisor, cast.agent, cast.agent_elsewhere, cast.viewer, cast.outsider):
        assert as_(user).post(PAGE, {"name": "Old shop"}).status_code == 403
    assert Session.objects.get(deleted_at=None) == shop


def test_it_says_what_follows_and_wants_the_name(cast: Cast, shop: Session) -> None:
    client = as_(cast.operator)
    asked = client.get(PAGE).content.decode()
    assert "Messages and conversations stay" in asked
    assert "It is the default account" in asked
    for wrong in ("", "old shop", "Old shop "):
        answer = client.post(PAGE, {"name": wrong}, headers=HTMX)
        assert answer.status_code == 422
        assert b"The name does not match." in answer.content
    assert Session.objects.filter(deleted_at=None).exists()


def test_a_deleted_session_is_gone_everywhere_and_its_messages_stay(
    cast: Cast, shop: Session
) -> None:
    client = as_(cast.operator)
    number = f"{cast.team.stream_key}:1"
    answer = client.post(PAGE, {"name": "Old shop"}, headers={**HTMX, "Live-Since": number})
    assert f'id="session-{shop.pk}" data-removed' in answer.content.decode()
    assert client.get("/sessions/Old%20shop/").status_code == 404
    assert client.get(f"/sessions/-/changes/?open={shop.pk}").status_code == 200
    assert f"session-{shop.pk}" not in client.get("/sessions/").content.decode()
    assert Message.objects.get().session == shop
    assert as_(cast.agent).get("/inbox/").status_code == 200


def test_its_name_is_free_and_the_new_one_inherits_nothing(cast: Cast, shop: Session) -> None:
    services.delete_session(session=shop, user=cast.operator)
    fresh = make_session("Old shop")
    assert fresh.pk != shop.pk
    assert fresh.is_default
    assert not fresh.messages.exists()
    services.log_out(session=fresh, user=None)
    services.delete_session(session=fresh, user=None)
    assert Session.objects.filter(deleted_at=None).count() == 0


def test_a_session_that_receives_is_to_be_logged_out_first(cast: Cast) -> None:
    session = make_session("Old shop")
    for state in set(SessionState) - {SessionState.LOGGED_OUT, SessionState.EXPIRED}:
        Session.objects.update(state=state)
        answer = as_(cast.operator).post(PAGE, {"name": "Old shop"}, follow=True)
        assert "“Old shop” must be logged out first." in answer.content.decode()
        with pytest.raises(services.SessionStillBound):
            services.delete_session(session=session, user=None)
    page = as_(cast.operator).get("/sessions/").content.decode()
    assert "Delete Old shop" not in page


def test_deleting_cancels_what_still_waits_for_a_scan(cast: Cast, shop: Session) -> None:
    as_(cast.operator).post("/sessions/Old%20shop/scan/")
    services.delete_session(session=shop, user=cast.operator)
    assert LoginAttempt.objects.get().status == "cancelled"
    shop.refresh_from_db()
    assert (shop.encrypted_token, shop.name_key) == ("", f"/{shop.pk}")
    event = shop.events.get(kind="deleted")
    assert (event.detail, event.who) == ("Old shop", cast.operator)
