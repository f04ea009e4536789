"""The roles in words, and which of them a person has."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sessions_app.people.models import User
from sessions_app.people.roles import Role

ROLE_WORDS: dict[Role, Promise] = {
    Role.ADMINISTRATOR: pgettext_lazy("role", "Administrator"),
    Role.OPERATOR: pgettext_lazy("role", "Operator"),
    Role.SUPERVISOR: pgettext_lazy("role", "Supervisor"),
    Role.AGENT: pgettext_lazy("role", "Agent"),
    Role.VIEWER: pgettext_lazy("role", "Viewer"),
}
ROLE_HINTS: dict[Role, Promise] = {
    Role.ADMINISTRATOR: _("everything, in every team"),
    Role.OPERATOR: _("connect and manage accounts"),
    Role.SUPERVISOR: _("see the accounts; read and answer conversations"),
    Role.AGENT: _("read and answer conversations"),
    Role.VIEWER: _("see the accounts; read conversations"),
}


def assigned_roles(person: User) -> list[Role]:
    """The roles that the person has, also while disabled, in the order of `Role`.

    Reads `groups`, which lists fetch beforehand.
    """
    names = {group.name for group in person.groups.all()}
    if person.is_superuser:
        names.add(Role.ADMINISTRATOR)
    return [role for role in Role if role in names]
