"""What every page says of sessions that need somebody, and to whom."""

from typing import Any

import pytest
from django.test import Client

from sessions_app.board.banners import banners_for
from sessions_app.models import Session, SessionState, User
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session

pytestmark = pytest.mark.django_db

SIGNED_OUT = "was signed out by WeChat. It can&#x27;t receive or send messages."


def page(user: User, address: str = "/account/") -> str:
    client = Client()
    client.force_login(user)
    return " ".join(client.get(address).content.decode().split())


def shop(name: str, state: SessionState, **changes: Any) -> Session:
    session = make_session(name, **changes)
    Session.objects.filter(pk=session.pk).update(state=state)
    return session


def test_all_is_well_and_nothing_is_said(cast: Cast) -> None:
    for number, state in enumerate(SessionState):
        if state not in (SessionState.EXPIRED, SessionState.POLLED_ELSEWHERE):
            shop(f"Shop {number}", state)
    for user in (cast.administrator, cast.operator, cast.agent, cast.viewer):
        assert banners_for(user) == []


def test_who_may_scan_gets_the_buttons(cast: Cast) -> None:
    shop("Shop A", SessionState.EXPIRED)
    for user in (cast.administrator, cast.operator):
        shown = page(user)
        assert f"“Shop A” {SIGNED_OUT}" in shown
        assert 'action="/sessions/Shop%20A/scan/"' in shown
        assert 'action="/sessions/Shop%20A/link/"' in shown
        assert "data-copies-text" not in shown


def test_who_may_not_is_told_whom_to_tell_and_can_copy_the_link(cast: Cast) -> None:
    shop("Shop A", SessionState.EXPIRED)
    for user in (cast.agent, cast.supervisor, cast.viewer):
        shown = page(user)
        assert f"“Shop A” {SIGNED_OUT} Ask otto to have the QR code scanned again." in shown
        assert 'data-copies-text="/sessions/Shop%20A/"' in shown
        assert "/scan/" not in shown


def test_without_an_operator_an_administrator_is_to_be_told(cast: Cast) -> None:
    User.objects.filter(pk=cast.operator.pk).update(is_active=False)
    shop("Shop A", SessionState.EXPIRED)
    assert "Ask ada to have the QR code" in page(cast.agent)
    User.objects.filter(pk=cast.administrator.pk).update(is_active=False)
    assert "Ask an administrator to have" in page(cast.agent)


def test_other_teams_sessions_and_people_without_a_role_are_left_out(cast: Cast) -> None:
    shop("Shop A", SessionState.EXPIRED)
    assert banners_for(cast.agent_elsewhere) == []
    assert banners_for(cast.outsider) == []
    assert SIGNED_OUT not in page(make_user("new"))


def test_many_are_one_line_that_names_the_first(cast: Cast) -> None:
    for number in range(5):
        shop(f"Shop {number}", SessionState.EXPIRED)
    (banner,) = banners_for(cast.operator)
    assert banner.sentence.startswith("“Shop 0”, “Shop 1”, “Shop 2”, 2 more were signed out")
    assert ">Show them</a>" in page(cast.operator)


def test_another_program_concerns_those_who_wait_for_messages(cast: Cast) -> None:
    shop("Shop A", SessionState.POLLED_ELSEWHERE)
    assert "Another program receives for “Shop A”" in page(cast.agent)
    assert banners_for(cast.operator) == []


def test_the_banner_comes_with_the_news_and_is_another_one_next_time(cast: Cast) -> None:
    session = shop("Shop A", SessionState.EXPIRED)
    (before,) = banners_for(cast.agent)
    assert f'data-banner="{before.key}"' in page(cast.agent, "/inbox/told/?since=team:1:1")
    session.refresh_from_db()
    Session.objects.update(state_since=session.state_since.replace(year=2020))
    assert banners_for(cast.agent)[0].key != before.key
