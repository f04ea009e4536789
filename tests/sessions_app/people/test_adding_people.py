"""A person is added, gets a link, chooses a password with it, and logs in."""

from typing import Any

import pytest
from django.test import Client

from sessions_app.models import PersonLink, User
from sessions_app.recording.actions import Action
from tests.conftest import Cast
from tests.sessions_app.audit.log import only
from tests.sessions_app.people.directory_pages import (
    PASSWORD,
    PEOPLE,
    add,
    as_,
    choose,
    link_in,
    log_in,
    rights,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_from_the_form_to_the_first_login(cast: Cast) -> None:
    answer = add(as_(cast.administrator), cast.team, roles=("agent", "operator"))
    path = link_in(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    mei = User.objects.get(username="mei")
    assert mei.display_name == "Mei Lin"
    assert {group.name for group in mei.groups.all()} == {"agent", "operator"}
    assert [*mei.teams.all()] == [cast.team]
    assert not mei.is_staff
    assert not log_in("mei", "")

    made = only(Action.PASSWORD_LINK_MADE)
    assert (made.actor_id, made.object_id) == (cast.administrator.pk, str(mei.pk))

    page = Client().get(path).content.decode()
    assert "Your username is" in page
    assert 'value="mei" autocomplete="username"' in page
    done = choose(path)
    assert (done.status_code, done["Location"]) == (302, path)
    after = Client().get(path).content.decode()
    assert "Your password is set." in after
    assert 'href="/accounts/login/"' in after
    client = Client()
    client.post("/accounts/login/", {"username": "mei", "password": PASSWORD})
    assert client.get("/inbox/").status_code == 200


def test_the_link_is_shown_once_and_not_stored(cast: Cast) -> None:
    client = as_(cast.administrator)
    code = link_in(add(client, cast.team)).split("/")[-2]
    mei = User.objects.get(username="mei")
    for page in (PEOPLE, f"{PEOPLE}{mei.pk}/", f"{PEOPLE}{mei.pk}/link/"):
        assert code not in client.get(page).content.decode()
    row = PersonLink.objects.values().get()
    assert code not in repr(row)
    assert len(row["digest"]) == 64


def test_a_form_that_is_sent_again_adds_nobody(cast: Cast) -> None:
    client = as_(cast.administrator)
    add(client, cast.team)
    again = add(client, cast.team)
    assert again.status_code == 422
    assert "Somebody has this username already." in again.content.decode()
    assert not link_in(again)
    assert User.objects.filter(username="mei").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("username", "MEI", "Somebody has this username already."),
        ("username", "m ei", "Enter a valid username."),
        ("username", "", "This field is required."),
        ("username", "x" * 151, "at most 150 characters"),
        ("name", " ", "This field is required."),
        ("roles", (), "Choose at least one."),
        ("roles", ("king",), "Select a valid choice"),
        ("teams", (), "Choose at least one."),
        ("teams", (999,), "Select a valid choice"),
        ("days", 3_650, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_it(cast: Cast, field: str, value: Any, words: str) -> None:
    User.objects.create_user("mei")
    form = {**rights(cast.team, username="lin", name="Lin"), field: value}
    answer = as_(cast.administrator).post(f"{PEOPLE}add/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not PersonLink.objects.exists()


def test_administrators_need_no_team(cast: Cast) -> None:
    add(as_(cast.administrator), cast.team, roles=("administrator",), teams=[])
    assert User.objects.get(username="mei").groups.get().name == "administrator"


@pytest.mark.parametrize("page", ["add/", "invite/"])
def test_it_is_a_dialog_and_a_page_of_its_own(cast: Cast, page: str) -> None:
    client = as_(cast.administrator)
    dialog = client.get(f"{PEOPLE}{page}", headers=HTMX).content.decode()
    assert "<html" not in dialog
    assert f'hx-post="{PEOPLE}{page}"' in dialog
    whole = client.get(f"{PEOPLE}{page}").content.decode()
    assert "<html" in whole
    assert f'href="{PEOPLE}" data-closes-dialog' in whole
    refused = client.post(f"{PEOPLE}{page}", {"days": 3}, headers=HTMX)
    assert refused.status_code == 422
    assert "<html" not in refused.content.decode()


def test_the_only_team_is_chosen_already(cast: Cast) -> None:
    client = as_(cast.administrator)
    assert " checked" not in client.get(f"{PEOPLE}add/").content.decode()
    cast.other_team.delete()
    assert client.get(f"{PEOPLE}add/").content.decode().count(" checked") == 1
