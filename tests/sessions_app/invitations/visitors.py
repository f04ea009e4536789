"""Visitors of an invitation, each from a network of their own, and what they do."""

from itertools import count

from django.test import Client

from sessions_app.login import attempts
from sessions_app.models import Invitation, LoginAttempt, User
from sessions_app.sessions.binding import Credentials

LIST = "/sessions/-/invitations/"
_numbers = count()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(invitation: Invitation) -> str:
    return f"/invite/{invitation.code}/"


def visitor(address: str = "") -> Client:
    number = next(_numbers)
    return Client(REMOTE_ADDR=address or f"198.51.{number // 250 % 250}.{number % 250 + 1}")


def come(invitation: Invitation, address: str = "") -> Client:
    """A visitor who pressed the button."""
    client = visitor(address)
    assert client.post(f"{page_of(invitation)}again/").status_code == 302
    return client


def scan(attempt: LoginAttempt) -> None:
    person = attempt.pk
    attempts.confirm(
        attempt.pk,
        Credentials("token", f"{person}@im.bot", "https://ilinkai.weixin.qq.com", person),
    )


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())
