"""Where the work at hand comes from: a browser, the API, a command, or the console itself.

A request's origin is set by `OriginMiddleware`, a command's by `command_line`. Work without one
(the worker's) comes from the console.
"""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sessions_app.recording.actions import Door

# `command_line` is here before Django has loaded its models.
if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.http import HttpRequest, HttpResponse


@dataclass(slots=True)
class Origin:
    """`token`: the name of the API token. `name`: who runs a command, on this machine."""

    door: Door = Door.CONSOLE
    address: str = ""
    request: "HttpRequest | None" = None
    owner: "AbstractUser | None" = None
    token: str = ""
    name: str = ""

    @property
    def person(self) -> "AbstractUser | None":
        """Who is signed in, or owns the token."""
        user: AbstractUser | None = self.owner or getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current_origin() -> Origin:
    """That of the work at hand."""
    return _origin.get() or Origin()


@contextmanager
def coming_from(given: Origin) -> Iterator[None]:
    """What runs inside the `with` block comes from there."""
    token = _origin.set(given)
    try:
        yield
    finally:
        _origin.reset(token)


def note_token(*, owner: "AbstractUser", token: str) -> None:
    """The request at hand is made with this API token."""
    found = _origin.get()
    if found is not None:
        found.door, found.owner, found.token = Door.API, owner, token


def of_command() -> Origin:
    """The origin of a command: whoever runs it on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = str(os.getuid())
    return Origin(Door.COMMAND, name=name)


class OriginMiddleware:
    """Stands after the middleware that finds the client's address behind proxies."""

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponse]") -> None:
        self.get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponse":
        facts = request.META
        address = str(facts.get("weilink.client") or facts.get("REMOTE_ADDR", ""))
        with coming_from(Origin(Door.BROWSER, address, request)):
            return self.get_response(request)
