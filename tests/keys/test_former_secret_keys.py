"""A changed SECRET_KEY, with the former one in SECRET_KEY_FALLBACKS: logins and links go on."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from sessions_app.database.browser_keys import SessionStore
from sessions_app.links import scan_links
from tests.conftest import Cast
from weilink_site.host import environment
from weilink_site.pages.websocket_users import user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.agent)
    assert client.get("/inbox/").status_code == 200
    return client


def _change(settings: Any, *fallbacks: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", list(fallbacks)


def test_a_login_goes_on_under_the_new_key_alone(signed_in: Client, settings: Any) -> None:
    former = settings.SECRET_KEY
    _change(settings, former)
    assert signed_in.get("/inbox/").status_code == 200
    _change(settings)  # this login was used meanwhile, so the former key is not needed
    assert signed_in.get("/inbox/").status_code == 200


def test_without_the_former_key_it_has_ended(signed_in: Client, settings: Any) -> None:
    _change(settings)
    assert signed_in.get("/inbox/").status_code == 302


def test_a_page_that_reconnects_first_keeps_its_login(
    signed_in: Client, settings: Any, cast: Cast
) -> None:
    key = signed_in.cookies["weilink_session"].value
    former = settings.SECRET_KEY
    _change(settings, former)
    assert user_of(SessionStore(key)) == cast.agent
    assert signed_in.get("/inbox/").status_code == 200


def test_a_socket_whose_login_is_not_accepted_ends_no_login(
    signed_in: Client, settings: Any, cast: Cast
) -> None:
    key = signed_in.cookies["weilink_session"].value
    before = settings.SECRET_KEY
    _change(settings)
    assert isinstance(user_of(SessionStore(key)), AnonymousUser)
    settings.SECRET_KEY = before
    assert signed_in.get("/inbox/").status_code == 200
    cast.agent.set_password("another")
    cast.agent.save()
    assert isinstance(user_of(SessionStore(key)), AnonymousUser)


def test_a_scan_link_that_the_former_key_signed_still_opens(cast: Cast, settings: Any) -> None:
    link = scan_links.make_link(user=cast.operator, team=cast.team, session_name="New")
    path = scan_links.address(link).removeprefix(settings.PUBLIC_URL)
    former = settings.SECRET_KEY
    _change(settings, former)
    assert b"not complete" not in Client().get(path).content
    _change(settings)
    assert b"not complete" in Client().get(path).content


def test_the_variable_holds_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", " one, two ,")
    assert environment.secret_key_fallbacks(environment.load()) == ["one", "two"]
    monkeypatch.delenv("SECRET_KEY_FALLBACKS")
    assert environment.secret_key_fallbacks(environment.load()) == []
