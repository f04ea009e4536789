"""Whether the people behind open pages are still signed in, and what they may do.

Read for all pages of a process at once: five statements, however many pages are open.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.utils import timezone

from sessions_app.database.browser_keys import digest_of
from sessions_app.people.models import SignedInBrowser, Team, User
from sessions_app.people.roles import Capability, Role, may, team_ids_of
from sessions_app.realtime.numbers import stream_keys_of


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's login: its session and the password hash that it was made with."""

    session_key: str
    user_id: int
    password: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may do now, and where."""

    user: User
    teams: frozenset[int]
    may: frozenset[Capability]

    @property
    def keys(self) -> list[str]:
        """The streams that their pages follow."""
        return stream_keys_of(self.user)

    def is_as(self, other: "Rights") -> bool:
        return (self.teams, self.may) == (other.teams, other.may)


def rights_of(user: User) -> Rights:
    granted = frozenset(one for one in Capability if may(user, one))
    return Rights(user, frozenset(team_ids_of(user)), granted)


def rights_now(logins: Collection[SignedIn]) -> dict[SignedIn, Rights]:
    """The rights of each login. Those that have ended are missing."""
    users = _users({one.user_id for one in logins})
    alive = _living_sessions({one.session_key for one in logins})
    rights = {pk: rights_of(user) for pk, user in users.items()}
    return {
        one: rights[one.user_id]
        for one in logins
        if one.user_id in users
        and users[one.user_id].password == one.password
        and one.session_key in alive
    }


def _living_sessions(keys: Collection[str]) -> set[str]:
    digests = {digest_of(key): key for key in keys}
    rows = SignedInBrowser.objects.filter(session_key__in=digests, expire_date__gt=timezone.now())
    return {digests[one] for one in rows.values_list("session_key", flat=True)}


def _users(ids: Collection[int]) -> dict[int, User]:
    """Active users with their roles and teams, as `roles_of` and `team_ids_of` would read them."""
    users = User.objects.filter(pk__in=ids, is_active=True).in_bulk()
    roles = _by_user(User.groups.through.objects.filter(user__in=users), "group__name")
    teams = _by_user(User.teams.through.objects.filter(user__in=users), "team")
    every_team = list(Team.objects.order_by("pk").values_list("pk", flat=True))
    known = set(Role)
    for pk, user in users.items():
        names: list[str] = [*roles[pk], *([Role.ADMINISTRATOR] if user.is_superuser else [])]
        mine = frozenset(Role(name) for name in names if name in known)
        user._roles = mine  # type: ignore[attr-defined]
        user._team_ids = every_team if Role.ADMINISTRATOR in mine else sorted(teams[pk])  # type: ignore[attr-defined]
    return users


def _by_user(through: Any, column: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for user_id, value in through.values_list("user", column):
        found[user_id].append(value)
    return found


def login_of(session_key: str, user: AbstractUser) -> SignedIn:
    return SignedIn(session_key, user.pk, user.password)
