"""What pages and the API say of a copy that is held, and how an administrator releases it."""

import pytest
from django.test import Client

from messaging.models import Message
from messaging.replying.reasons import reason_of
from messaging.replying.states import state_of
from sessions_app.installation import standing
from sessions_app.models import Installation, User
from tests.api.callers import calling
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

RELEASE = "/settings/release/"
HELD = "This is a copy of another installation and is held: nothing is received or sent."
SOURCE = "sqlite:////srv/weilink/console.sqlite3"


def _page(user: User, address: str = "/account/") -> str:
    client = Client()
    client.force_login(user)
    return " ".join(client.get(address, follow=True).content.decode().split())


@pytest.fixture
def held(cast: Cast) -> Cast:
    standing.hold(copy_of=SOURCE)
    return cast


def test_an_ordinary_console_says_nothing(cast: Cast) -> None:
    standing.forget()
    assert HELD not in _page(cast.administrator)
    assert "Release this installation?" not in _page(cast.administrator, RELEASE)


def test_everybody_is_told_and_administrators_get_the_button(held: Cast) -> None:
    for user in (held.operator, held.supervisor, held.agent, held.viewer, held.outsider):
        page = _page(user)
        assert HELD in page
        assert "An administrator has to release it." in page
        assert RELEASE not in page
    page = _page(held.administrator)
    assert HELD in page
    assert f'href="{RELEASE}"' in page
    assert HELD in _page(held.agent, "/inbox/told/?since=team:1:1")


def test_an_administrator_releases_it_after_reading_what_that_means(held: Cast) -> None:
    client = Client()
    client.force_login(held.administrator)
    asked = client.get(RELEASE).content.decode()
    assert SOURCE in asked
    assert "must be stopped for good" in asked
    assert standing.standing().is_held
    told = client.post(RELEASE, follow=True).content.decode()
    assert "Released: this console receives and sends now." in told
    assert HELD not in told
    row = Installation.objects.get()
    assert (row.held_at, row.released_by) == (None, held.administrator)
    assert row.released_at is not None
    assert client.post(RELEASE).status_code == 302


def test_nobody_else_releases_it(held: Cast) -> None:
    for user in (held.operator, held.supervisor, held.agent, held.viewer, held.outsider):
        client = Client()
        client.force_login(user)
        assert client.get(RELEASE).status_code == client.post(RELEASE).status_code == 403
    assert standing.standing().is_held


def test_a_page_that_is_still_served_by_the_source_says_that_it_moved(cast: Cast) -> None:
    standing.mark_moved(to="postgres://weilink@db/weilink")
    assert "This installation was moved." in _page(cast.agent)


def test_the_release_is_seen_at_once_and_a_hold_within_seconds(cast: Cast) -> None:
    now = 100.0
    standing.forget()
    assert not standing.recent_standing(clock=lambda: now).is_held
    Installation.objects.create(pk=1, held_of=SOURCE, held_at="2026-11-29T00:00Z")
    assert not standing.recent_standing(clock=lambda: now + standing.KEPT_S - 1).is_held
    assert standing.recent_standing(clock=lambda: now + standing.KEPT_S).is_held
    Installation.objects.update(held_at=None)
    assert not standing.recent_standing(clock=lambda: now + standing.KEPT_S).is_held


def test_the_api_says_that_it_is_held(held: Cast) -> None:
    assert calling(held.operator).get("/status").body["is_held"] is True


def test_a_restored_reply_says_what_is_known() -> None:
    reply = Message(direction="out", status="unconfirmed", error_code="restored", holds_queue=True)
    state = state_of(reply, contact_name="李娜")
    assert state.words.startswith("It waited or was being sent when this data was copied")
    assert [action.url for action in state.actions] == ["retry", "arrived"]
    assert reason_of(reply).endswith("it may have arrived")
