"""An invitation: one person joins with it, with the roles and teams that were fixed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.models import PersonLink, User
from sessions_app.people.directory import links, services
from sessions_app.people.directory.links import DeadLink
from tests.conftest import Cast
from tests.sessions_app.people.directory_pages import (
    PEOPLE,
    as_,
    change,
    choose,
    link_in,
    log_in,
    rights,
)

pytestmark = pytest.mark.django_db


def invite(cast: Cast, *roles: str, **others: Any) -> str:
    answer = as_(cast.administrator).post(
        f"{PEOPLE}invite/", rights(cast.team, *(roles or ("agent",)), **others)
    )
    assert "no-store" in answer["Cache-Control"]
    return link_in(answer)


def test_the_invited_person_chooses_names_and_password(cast: Cast) -> None:
    path = invite(cast, "agent", "operator")
    page = Client().get(path).content.decode()
    assert "You were invited." in page
    assert 'name="roles"' not in page
    answer = choose(
        path, username="mei", name="Mei Lin", roles="administrator", teams=cast.other_team.pk,
        is_superuser="on",
    )  # fmt: skip
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert "Your password is set." in Client().get(path).content.decode()
    mei = User.objects.get(username="mei")
    assert {group.name for group in mei.groups.all()} == {"agent", "operator"}
    assert [*mei.teams.all()] == [cast.team]
    assert (mei.display_name, mei.is_superuser) == ("Mei Lin", False)
    assert PersonLink.objects.get().person == mei
    assert log_in("mei")


def test_it_is_good_for_one_person(cast: Cast) -> None:
    path = invite(cast)
    choose(path, username="mei", name="Mei")
    choose(path, username="lin", name="Lin")
    assert not User.objects.filter(username="lin").exists()


def test_of_two_at_once_one_joins(cast: Cast) -> None:
    code = invite(cast).split("/")[-2]
    first, second = (links.find(code, is_invitation=True) for _ in range(2))
    services.join(first, username="mei", name="Mei", password="x")
    with pytest.raises(DeadLink):
        services.join(second, username="lin", name="Lin", password="x")
    assert not User.objects.filter(username="lin").exists()


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [
        ("WEI", "", "Somebody has this username already."),
        ("m ei", "", "Enter a valid username."),
        ("long-user-name", "long-user-name", "too similar to the username"),
        ("mei", "12", "too short"),
    ],
)
def test_what_is_wrong_uses_nothing_up(
    cast: Cast, username: str, password: str, words: str
) -> None:
    path = invite(cast)
    answer = choose(path, password or "Correct horse 7", username=username, name="Mei")
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert choose(path, username="mei", name="Mei").status_code == 302


def test_a_name_that_is_taken_at_the_same_moment(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = invite(cast)
    monkeypatch.setattr(services, "is_taken", lambda name: False)
    answer = choose(path, username="wei", name="Wei")
    assert answer.status_code == 422
    assert "Somebody has this username already." in answer.content.decode()
    assert PersonLink.objects.get().used_at is None


def test_the_list_shows_open_ones_and_revokes_them(cast: Cast) -> None:
    client = as_(cast.administrator)
    assert "Open invitations" not in client.get(PEOPLE).content.decode()
    path = invite(cast, "viewer")
    page = client.get(PEOPLE).content.decode()
    assert "Open invitations" in page
    assert path not in page
    client.post(f"{PEOPLE}links/{PersonLink.objects.get().pk}/revoke/")
    assert "Open invitations" not in client.get(PEOPLE).content.decode()
    assert Client().get(path).status_code == 410


def test_it_expires(cast: Cast) -> None:
    path = invite(cast, days=7)
    link = PersonLink.objects.get()
    assert link.expires_at - link.created_at == timedelta(days=7)
    PersonLink.objects.update(expires_at=timezone.now())
    assert choose(path, username="mei", name="Mei").status_code == 410
    assert not User.objects.filter(username="mei").exists()


def test_whoever_is_no_administrator_any_more_has_invited_nobody(cast: Cast) -> None:
    """They know the address: otherwise they could come back by it."""
    other = User.objects.create_superuser("root")
    for end in (
        lambda: change(as_(other), cast.administrator, "agent"),
        lambda: services.disable_person(person_id=cast.administrator.pk, by=other),
    ):
        path = invite(cast, "administrator")
        end()
        assert choose(path, username="back", name="Back").status_code == 410
        change(as_(other), cast.administrator, "administrator")
