"""The five roles and the capabilities of each. A superuser counts as administrator.

Roles decide *what*, teams decide *where*: a capability applies to the objects of the user's own
teams. For administrators it applies everywhere.
"""

from collections.abc import Collection
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from sessions_app.people.models import Team, User


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    VIEWER = "viewer"


class Capability(StrEnum):
    SEE_BOARD = "see_board"
    MANAGE_SESSIONS = "manage_sessions"
    READ_CONVERSATIONS = "read_conversations"
    ANSWER = "answer"
    ADMINISTER = "administer"


class Lost(StrEnum):
    """Why somebody may no longer do something in a team."""

    DELETED = "deleted"
    DISABLED = "disabled"
    ROLE = "role"
    TEAM = "team"


_GRANTS: dict[Role, frozenset[Capability]] = {
    Role.ADMINISTRATOR: frozenset(Capability),
    Role.OPERATOR: frozenset({Capability.SEE_BOARD, Capability.MANAGE_SESSIONS}),
    Role.SUPERVISOR: frozenset(
        {Capability.SEE_BOARD, Capability.READ_CONVERSATIONS, Capability.ANSWER}
    ),
    Role.AGENT: frozenset({Capability.READ_CONVERSATIONS, Capability.ANSWER}),
    Role.VIEWER: frozenset({Capability.SEE_BOARD, Capability.READ_CONVERSATIONS}),
}

Visitor = User | AnonymousUser


def roles_of(user: Visitor) -> frozenset[Role]:
    """The user's roles, read once per object. Empty for anonymous and disabled users."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    known: frozenset[Role] | None = getattr(user, "_roles", None)
    if known is None:
        known = frozenset(Role(name) for name in _group_names(user) if name in set(Role))
        user._roles = known  # type: ignore[attr-defined]
    return known


def _group_names(user: User) -> list[str]:
    names = list(user.groups.values_list("name", flat=True))
    return [*names, Role.ADMINISTRATOR] if user.is_superuser else names


def may(user: Visitor, capability: Capability) -> bool:
    return any(capability in _GRANTS[role] for role in roles_of(user))


def what_is_lost(user: User | None, capability: Capability, team_id: int) -> Lost | None:
    """Why a user may not use the capability in this team, or None. `user`: None if deleted."""
    if user is None:
        return Lost.DELETED
    if not user.is_active:
        return Lost.DISABLED
    if not may(user, capability):
        return Lost.ROLE
    return None if team_id in team_ids_of(user) else Lost.TEAM


def teams_of(user: Visitor) -> QuerySet[Team]:
    """The teams whose sessions and conversations `user` may see."""
    if Role.ADMINISTRATOR in roles_of(user):
        return Team.objects.all()
    if not isinstance(user, User) or not user.is_active:
        return Team.objects.none()
    return user.teams.all()


def team_ids_of(user: Visitor) -> list[int]:
    """Primary keys of `teams_of`, read once per object."""
    known: list[int] | None = getattr(user, "_team_ids", None)
    if known is None:
        known = list(teams_of(user).values_list("pk", flat=True))
        user._team_ids = known  # type: ignore[union-attr]
    return known


def answerers_of(team_ids: Collection[int]) -> QuerySet[User]:
    """Users who may answer in one of these teams, by name.

    The query equivalent of `may` and `team_ids_of`.
    """
    answering = [role for role in Role if Capability.ANSWER in _GRANTS[role]]
    everywhere = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    there = Q(groups__name__in=answering, teams__in=team_ids)
    people = User.objects.filter(everywhere | there, is_active=True)
    return people.distinct().order_by("first_name", "last_name", "username")
