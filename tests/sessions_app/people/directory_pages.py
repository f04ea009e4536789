"""What the tests of `/people/` share: signed-in clients, its forms, and the link in an answer."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from sessions_app.models import Team, User
from sessions_app.people.directory import services

PEOPLE = "/people/"
PASSWORD = "Correct horse 7"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def rights(team: Team, *roles: str, **others: Any) -> dict[str, Any]:
    return {"roles": roles or ("agent",), "teams": [team.pk], "days": 3, **others}


def add(client: Client, team: Team, username: str = "mei", **others: Any) -> Any:
    form = rights(team, username=username, name="Mei Lin", **others)
    return client.post(f"{PEOPLE}add/", form)


def link_in(answer: Any) -> str:
    """The path of the link that the answer shows, or ""."""
    found = re.search(r'id="person-link" value="([^"]+)"', answer.content.decode())
    return urlsplit(found[1]).path if found else ""


def choose(path: str, password: str = PASSWORD, again: str = "", **others: Any) -> Any:
    """What the person sends who got the link, from a browser of their own."""
    form = {"new_password1": password, "new_password2": again or password, **others}
    return Client().post(path, form)


def log_in(username: str, password: str = PASSWORD) -> bool:
    form = {"username": username, "password": password}
    return Client().post("/accounts/login/", form).status_code == 302


def change(client: Client, person: User, *roles: str, **others: Any) -> Any:
    """Save the form of a person as the page has it now, with these roles."""
    now = User.objects.get(pk=person.pk)
    form = {
        "name": now.get_full_name() or now.username,
        "roles": roles,
        "teams": [team.pk for team in now.teams.all()],
        "seen": services.fingerprint(now),
        **others,
    }
    return client.post(f"{PEOPLE}{person.pk}/", form)
