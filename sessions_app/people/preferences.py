"""Reads and saves a user's personal preferences."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings

from sessions_app.people.choice_models import SendKey, Telling, Theme
from sessions_app.people.models import User
from sessions_app.people.roles import Visitor


@dataclass(frozen=True, slots=True)
class Preferences:
    """`language` and `time_zone`: empty means the browser's.

    `undo_s`: seconds. `volume`: percent.
    """

    language: str = ""
    time_zone: str = ""
    send_key: str = SendKey.ENTER
    undo_s: int = 0
    shows_typing: bool = True
    sound: str = Telling.ALL
    volume: int = 60
    notifications: str = Telling.MINE
    shortcuts: bool = True
    theme: str = Theme.SYSTEM


NAMES = tuple(field.name for field in fields(Preferences))


def preferences_of(user: Visitor) -> Preferences:
    """Read the loaded user object, without a query."""
    if not isinstance(user, User):
        return Preferences()
    return Preferences(**{name: getattr(user, name) for name in NAMES})


def choose(*, user: User, chosen: Mapping[str, Any]) -> None:
    """Save these preferences. Raises ValueError for unknown fields."""
    if unknown := set(chosen) - set(NAMES):
        raise ValueError(f"no such preferences: {sorted(unknown)}")
    for name, value in chosen.items():
        setattr(user, name, value)
    user.save(update_fields=list(chosen))


def choose_language(*, user: User, language: str) -> None:
    """Save the user's language. Raises ValueError if the console does not support it."""
    if language not in dict(settings.LANGUAGES):
        raise ValueError(language)
    choose(user=user, chosen={"language": language})


def choose_theme(*, user: User, theme: str) -> None:
    """Save the user's theme. Raises ValueError for an unknown theme."""
    choose(user=user, chosen={"theme": Theme(theme).value})
