"""The list of people: who is there, found and filtered, and who may see it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group

from sessions_app.models import User
from sessions_app.people.directory import queries, services
from tests.conftest import Cast, make_user
from tests.sessions_app.people.directory_pages import PEOPLE, add, as_

pytestmark = pytest.mark.django_db


def names_in(cast: Cast, query: str = "") -> set[str]:
    page = as_(cast.administrator).get(f"{PEOPLE}{query}").context
    return {row.user.username for row in page["rows"]}


@pytest.mark.parametrize(
    "person", ["operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider"]
)
def test_only_administrators_open_it(cast: Cast, person: str) -> None:
    client, other = as_(getattr(cast, person)), cast.agent.pk
    for page in (
        "", "add/", "invite/", f"{other}/", f"{other}/link/", f"{other}/disable/",
    ):  # fmt: skip
        assert client.get(f"{PEOPLE}{page}").status_code == 403, page
        assert client.post(f"{PEOPLE}{page}").status_code in {403, 405}, page
    assert client.post(f"{PEOPLE}{other}/enable/").status_code == 403
    assert client.post(f"{PEOPLE}links/1/revoke/").status_code == 403
    assert f'href="{PEOPLE}"' not in client.get("/account/").content.decode()


def test_the_navigation_leads_administrators_there(cast: Cast) -> None:
    client = as_(cast.administrator)
    assert f'href="{PEOPLE}"' in client.get("/account/").content.decode()
    page = client.get(PEOPLE)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert 'aria-current="page"' in page.content.decode()


def test_a_row_says_who_and_what_and_where(cast: Cast) -> None:
    User.objects.filter(pk=cast.agent.pk).update(first_name="Wei", last_name="Zhang\u202e")
    page = as_(cast.administrator).get(PEOPLE).content.decode()
    assert "Wei Zhang" in page
    assert "\u202e" not in page
    assert ">wei</span>" in page
    assert "never" in page
    assert "Other team" in page
    assert 'class="chip">Agent</span>' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=zhang%20wei", {"wei"}),
        ("?q=WEI", {"wei"}),
        ("?q=nobody", set()),
        ("?role=viewer", {"vic"}),
        ("?role=administrator", {"ada", "root"}),
        ("?role=agent&state=active", {"wei", "eve"}),
        ("?state=disabled", {"gone"}),
        ("?role=nonsense&team=x&state=y&page=z", {"ada", "otto", "sue", "wei", "eve", "vic", "out",
                                                  "root", "gone"}),
    ],
)  # fmt: skip
def test_it_is_searched_and_filtered(cast: Cast, query: str, found: set[str]) -> None:
    User.objects.filter(pk=cast.agent.pk).update(first_name="Wei", last_name="Zhang")
    User.objects.create_superuser("root")
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert names_in(cast, query) == found


def test_it_is_filtered_by_team(cast: Cast) -> None:
    assert names_in(cast, f"?team={cast.other_team.pk}") == {"eve"}


def test_it_shows_who_has_an_open_link(cast: Cast) -> None:
    client = as_(cast.administrator)
    add(client, cast.team)
    page = client.get(f"{PEOPLE}?state=link").content.decode()
    assert "No password yet" in page
    assert "link until" in page
    assert names_in(cast, "?state=link") == {"mei"}


def test_nobody_found_says_what_to_do(cast: Cast) -> None:
    page = as_(cast.administrator).get(f"{PEOPLE}?q=nobody").content.decode()
    assert "Nobody was found" in page
    assert "Show everybody" in page
    assert "<table" not in page


def test_a_long_list_has_pages_that_keep_the_filters(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_LENGTH", 3)
    first = as_(cast.administrator).get(f"{PEOPLE}?state=active")
    assert len(first.context["rows"]) == 3
    assert "Page 1 of 3" in first.content.decode()
    assert "?state=active&amp;page=2" in first.content.decode()
    assert len(names_in(cast, "?state=active&page=3")) == 1


def test_its_length_costs_no_queries(
    cast: Cast, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    agent = Group.objects.get(name="agent")
    for number in range(20):
        person = make_user(f"person{number}")
        person.groups.add(agent)
    found = queries.find_people(queries.Filters(), 1)
    with django_assert_max_num_queries(5):
        queries.rows_of(found)


def test_rights_in_the_admin_show_that_only_superusers_may_change(cast: Cast) -> None:
    root = User.objects.create_superuser("root")
    page = as_(cast.administrator).get(f"{PEOPLE}{root.pk}/").content.decode()
    assert "Only a superuser can change them." in page
    assert "New password link" not in page
    assert services.may_touch(root, cast.administrator)


def test_an_unknown_person_is_not_found(cast: Cast) -> None:
    client = as_(cast.administrator)
    for page in ("999/", "999/link/", "999/disable/"):
        assert client.get(f"{PEOPLE}{page}").status_code == 404
        assert client.post(f"{PEOPLE}{page}").status_code == 404
