"""`/account/`: everybody's own language, zone, ways of being told, and password."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from sessions_app.models import User
from sessions_app.people.preferences import NAMES, Preferences, choose, preferences_of
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

PAGE = "/account/"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def posted(client: Client, **changes: Any) -> Any:
    """The form as a browser sends it: a box without a tick is not there."""
    mine = preferences_of(User.objects.get(pk=client.session["_auth_user_id"]))
    data = {name: getattr(mine, name) for name in NAMES} | changes
    return client.post(PAGE, {name: value for name, value in data.items() if value is not False})


def saved(user: User) -> Preferences:
    return preferences_of(User.objects.get(pk=user.pk))


def test_everybody_who_is_signed_in_has_an_account_page(cast: Cast) -> None:
    for name in ("administrator", "operator", "supervisor", "agent", "viewer", "outsider"):
        user = getattr(cast, name)
        page = as_(user).get(PAGE)
        assert page.status_code == 200, name
        assert f"You are signed in as {user.username}." in page.content.decode()


def test_a_new_person_has_what_the_defaults_say(cast: Cast) -> None:
    assert saved(cast.agent) == Preferences()


def test_what_is_chosen_is_kept_and_stands_in_every_page(cast: Cast) -> None:
    client = as_(cast.agent)
    wanted: dict[str, Any] = {
        "language": "en", "time_zone": "Asia/Shanghai", "send_key": "ctrl_enter", "undo_s": 10,
        "shows_typing": False, "sound": "mine", "volume": 35, "notifications": "none",
        "shortcuts": False, "theme": "dark",
    }  # fmt: skip
    assert posted(client, **wanted).status_code == 302
    assert saved(cast.agent) == Preferences(**wanted)
    page = client.get("/inbox/").content.decode()
    for words in (
        'data-zone="Asia/Shanghai"', 'data-send-key="ctrl_enter"', 'data-undo-s="10"',
        'data-tells-sound="mine"', 'data-tells-volume="35"', 'data-tells-notifications="none"',
        'data-chosen-theme="dark"',
    ):  # fmt: skip
        assert words in page
    assert "data-shortcuts" not in page
    assert "data-shows-typing" not in page


def test_the_chosen_zone_shows_every_time_of_a_page(cast: Cast) -> None:
    receive(make_session("Shop A"), text_message("hello"))
    moment = timezone.now().replace(hour=16, minute=30)
    Message.objects.update(created_at=moment)
    page = f"/inbox/{Conversation.objects.get().pk}/"
    client = as_(cast.agent)
    assert ">16:30</time>" in client.get(page).content.decode()
    choose(user=cast.agent, chosen={"time_zone": "Asia/Kathmandu"})
    assert ">22:15</time>" in client.get(page).content.decode()


def test_the_page_answers_in_the_language_that_was_just_chosen(cast: Cast) -> None:
    client = as_(cast.agent)
    posted(client, language="zh-hans")
    assert 'lang="zh-hans"' in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("language", "fr"), ("time_zone", "Mars/Olympus"), ("send_key", "tab"), ("undo_s", 7),
        ("sound", "some"), ("volume", 101), ("volume", ""), ("notifications", ""),
        ("theme", "pink"),
    ],
)  # fmt: skip
def test_what_there_is_not_to_choose_is_refused(cast: Cast, name: str, wrong: Any) -> None:
    answer = posted(as_(cast.agent), **{name: wrong})
    assert answer.status_code == 422
    assert f'id="id_{name}_error"' in answer.content.decode()
    assert saved(cast.agent) == Preferences()


def test_a_zone_that_was_set_elsewhere_is_not_lost_by_saving(cast: Cast) -> None:
    choose(user=cast.agent, chosen={"time_zone": "Singapore"})
    assert posted(as_(cast.agent), volume=10).status_code == 302
    assert saved(cast.agent).time_zone == "Singapore"


def test_the_switch_in_the_menu_keeps_the_theme(cast: Cast) -> None:
    client = as_(cast.viewer)
    assert client.post("/account/theme/", {"theme": "light"}).status_code == 204
    assert saved(cast.viewer).theme == "light"
    assert client.post("/account/theme/", {"theme": "auto"}).status_code == 400
    assert client.get("/account/theme/").status_code == 405


# The password


def change(client: Client, old: str, new: str, again: str | None = None) -> Any:
    data = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post("/account/password/", data)


def test_a_changed_password_signs_out_every_other_browser(cast: Cast) -> None:
    here, there = as_(cast.agent), as_(cast.agent)
    assert change(here, "wei-pw", "Correct horse 7").status_code == 302
    assert "Your other browsers were signed out." in here.get(PAGE).content.decode()
    assert there.get(PAGE).status_code == 302
    assert User.objects.get(pk=cast.agent.pk).check_password("Correct horse 7")


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("wrong", "Correct horse 7", None, "This is not your current password."),
        ("wei-pw", "Correct horse 7", "Correct horse 8", "The two new passwords differ."),
        ("wei-pw", "1234", None, "too short"),
    ],
)
def test_a_wrong_password_is_said_and_nothing_changes(
    cast: Cast, old: str, new: str, again: str | None, words: str
) -> None:
    answer = change(as_(cast.agent), old, new, again)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert User.objects.get(pk=cast.agent.pk).check_password("wei-pw")


def test_an_open_browser_is_no_place_to_guess_the_password(cast: Cast) -> None:
    client = as_(cast.agent)
    for _ in range(10):
        change(client, "wrong", "Correct horse 7")
    answer = change(client, "wei-pw", "Correct horse 7")
    assert "Too many attempts." in answer.content.decode()
    assert User.objects.get(pk=cast.agent.pk).check_password("wei-pw")
