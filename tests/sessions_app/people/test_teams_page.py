"""Teams are added and renamed at `/people/teams/`."""

from typing import Any

import pytest

from sessions_app.models import Team
from sessions_app.people.models import EVERYONE
from tests.conftest import Cast
from tests.sessions_app.people.directory_pages import PEOPLE, as_

pytestmark = pytest.mark.django_db

TEAMS = f"{PEOPLE}teams/"


def add(cast: Cast, name: str) -> Any:
    return as_(cast.administrator).post(TEAMS, {"name": name}, follow=True)


def test_a_team_is_added_and_offered(cast: Cast) -> None:
    assert "The team “Night” was added." in add(cast, " Night ").content.decode()
    assert "Night" in as_(cast.administrator).get(f"{PEOPLE}add/").content.decode()


def test_the_page_counts_active_members(cast: Cast) -> None:
    cast.viewer.is_active = False
    cast.viewer.save()
    page = as_(cast.administrator).get(TEAMS)
    counts = {team.name: team.member_count for team in page.context["teams"]}
    assert counts == {EVERYONE: 4, "Other team": 1}
    assert f'href="{PEOPLE}?team={cast.other_team.pk}"' in page.content.decode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other TEAM", "There is a team with this name already."),
        ("", "This field is required."),
        ("x" * 81, "at most 80 characters"),
    ],
)
def test_what_is_wrong_is_said(cast: Cast, name: str, words: str) -> None:
    answer = add(cast, name)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Team.objects.count() == 2


def test_a_team_is_renamed_in_a_dialog(cast: Cast) -> None:
    client, place = as_(cast.administrator), f"{TEAMS}{cast.other_team.pk}/"
    assert 'value="Other team"' in client.get(place).content.decode()
    answer = client.post(place, {"name": "Night"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == TEAMS
    assert Team.objects.get(pk=cast.other_team.pk).name == "Night"
    assert client.post(place, {"name": "everyone"}).status_code == 422
    assert client.get(f"{TEAMS}999/").status_code == 404


def test_the_first_team_keeps_its_name(cast: Cast) -> None:
    client, place = as_(cast.administrator), f"{TEAMS}{cast.team.pk}/"
    assert place not in client.get(TEAMS).content.decode()
    answer = client.post(place, {"name": "All"})
    assert answer.status_code == 422
    assert "This team cannot be renamed." in answer.content.decode()


@pytest.mark.parametrize("person", ["operator", "supervisor", "agent", "viewer", "outsider"])
def test_nobody_else_opens_it(cast: Cast, person: str) -> None:
    client = as_(getattr(cast, person))
    for place in (TEAMS, f"{TEAMS}{cast.team.pk}/"):
        assert client.get(place).status_code == 403
        assert client.post(place, {"name": "x"}).status_code == 403
