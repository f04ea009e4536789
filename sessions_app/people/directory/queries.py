"""The list of people: who is found, and what a row shows."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.utils.functional import Promise

from sessions_app.people.directory import links
from sessions_app.people.directory.role_words import ROLE_WORDS, assigned_roles
from sessions_app.people.models import PersonLink, Team, User
from sessions_app.people.roles import Role

PAGE_LENGTH = 50
ACTIVE, DISABLED, WITH_LINK = "active", "disabled", "link"


@dataclass(frozen=True, slots=True)
class Filters:
    """`search`: words that must all be found in the names. `state`: one of the three, or ""."""

    search: str = ""
    role: str = ""
    team: int | None = None
    state: str = ""

    @property
    def is_any(self) -> bool:
        return self != Filters()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """`link`: the one with which the person can choose a password now."""

    user: User
    roles: list[Promise]
    teams: list[Team]
    link: PersonLink | None

    @property
    def has_password(self) -> bool:
        return self.user.has_usable_password()


def find_people(filters: Filters, page: Any) -> Page[User]:
    """One page of the people, the active ones first. Take its rows from `rows_of`."""
    found = User.objects.order_by("-is_active", "first_name", "last_name", "username", "pk")
    found = _matching(found, filters).prefetch_related("groups", "teams", _open_links())
    return Paginator(found, PAGE_LENGTH).get_page(page)


def rows_of(page: Page[User]) -> list[PersonRow]:
    return [row_of(user) for user in page.object_list]


def one_person(pk: int) -> User | None:
    """The person with what `row_of` reads."""
    found = User.objects.filter(pk=pk).prefetch_related("groups", "teams", _open_links())
    return found.first()


def row_of(user: User) -> PersonRow:
    found: list[PersonLink] = getattr(user, "open_links")  # noqa: B009 - set by the prefetch
    words = [ROLE_WORDS[role] for role in assigned_roles(user)]
    return PersonRow(user, words, list(user.teams.all()), found[0] if found else None)


def open_invitations() -> list[tuple[PersonLink, list[Promise]]]:
    """Each open invitation with its roles in words, the newest first."""
    return [
        (link, [ROLE_WORDS[role] for role in Role if role in link.roles])
        for link in links.open_invitations()
    ]


def _open_links() -> "Prefetch[str, QuerySet[PersonLink], str]":
    rows = links.open_links().filter(is_invitation=False)
    return Prefetch("person_links", queryset=rows, to_attr="open_links")


def _matching(found: QuerySet[User], filters: Filters) -> QuerySet[User]:
    for word in filters.search.split():
        fields = ("username", "first_name", "last_name")
        found = found.filter(_any_of(*(Q(**{f"{name}__icontains": word}) for name in fields)))
    if filters.role:
        has_it = Q(pk__in=User.objects.filter(groups__name=filters.role).values("pk"))
        is_super = Q(is_superuser=True) if filters.role == Role.ADMINISTRATOR else Q(pk=None)
        found = found.filter(has_it | is_super)
    if filters.team is not None:
        found = found.filter(pk__in=User.teams.through.objects.filter(
            team=filters.team
        ).values("user"))  # fmt: skip
    match filters.state:
        case "active" | "disabled":
            found = found.filter(is_active=filters.state == ACTIVE)
        case "link":
            waiting = links.open_links().filter(is_invitation=False, person__is_active=True)
            found = found.filter(pk__in=waiting.values("person"))
    return found


def _any_of(*conditions: Q) -> Q:
    either = Q()
    for one in conditions:
        either |= one
    return either
