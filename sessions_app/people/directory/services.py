"""Changes of people by administrators: add, change, disable, enable, give a password link.

One change at a time: each locks the row of the administrators' role first, so that two
administrators cannot take away each other's rights at once and leave nobody. `errors` lists why a
change is not made. People who use a link change themselves, and only once.
"""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from sessions_app.people import tokens
from sessions_app.people.directory import links
from sessions_app.people.directory.errors import (
    ChangedMeanwhile,
    IsDisabled,
    LastAdministrator,
    MoreRights,
    NameTaken,
    Oneself,
)
from sessions_app.people.directory.role_words import assigned_roles
from sessions_app.people.models import PersonLink, Team, User
from sessions_app.people.roles import Capability, Role, may
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, person_subject, record


def add_person(
    *, by: User, username: str, name: str, roles: Collection[Role], teams: Collection[Team],
    days: int,
) -> tuple[User, str]:  # fmt: skip
    """Add a person without a password. Returns the code of their link too. Raises NameTaken."""
    with changing(by):
        person = _create(username, name, roles, teams, make_password(None))
        record(Action.PASSWORD_LINK_MADE, person_subject(person), user=by)
        return person, links.make_password_link(person=person, by=by, days=days)


def invite(*, by: User, roles: Collection[Role], teams: Collection[Team], days: int) -> str:
    """Make an invitation. Returns its code."""
    with changing(by):
        record(Action.PERSON_INVITED, Subject(Kind.PERSON), user=by)
        return links.make_invitation(by=by, roles=roles, teams=teams, days=days)


def give_link(*, person_id: int, by: User, days: int, ends_tokens: bool) -> tuple[str, int]:
    """End the person's password and browsers, and make a link to choose another password.

    Returns the link's code, and how many API tokens were revoked.
    """
    with changing(by) as actor:
        person = _locked(person_id)
        _check(actor, person)
        if actor.pk == person.pk:
            raise Oneself
        if not person.is_active:
            raise IsDisabled
        person.set_unusable_password()
        person.save(update_fields=["password"])
        person.browsers.all().delete()
        ended = tokens.revoke_all(person) if ends_tokens else 0
        record(Action.PASSWORD_LINK_MADE, person_subject(person), user=by)
        return links.make_password_link(person=person, by=by, days=days), ended


def revoke_link(*, link_id: int, by: User) -> bool:
    """End a link or an invitation. False if it was not open any more."""
    with changing(by):
        is_revoked = links.revoke(link_id)
        if is_revoked:
            record(Action.PERSON_LINK_REVOKED, Subject(Kind.PERSON), user=by)
        return is_revoked


def change_person(
    *, person_id: int, by: User, seen: str, name: str, roles: Collection[Role],
    teams: Collection[Team],
) -> User:  # fmt: skip
    """Give the person this name, and these roles and teams. `seen`: `fingerprint` on the page."""
    with changing(by) as actor:
        person = _locked(person_id)
        if fingerprint(person) != seen:
            raise ChangedMeanwhile
        was, stays = Role.ADMINISTRATOR in assigned_roles(person), Role.ADMINISTRATOR in roles
        _check(actor, person, is_ending=was and not stays)
        if name != person.get_full_name():
            person.first_name, person.last_name = name, ""
        if was and not stays:
            links.end_links_by(person)
            person.is_superuser = person.is_staff = False
        person.save(update_fields=["first_name", "last_name", "is_superuser", "is_staff"])
        _set_rights(person, roles, teams)
        return person


def disable_person(*, person_id: int, by: User) -> bool:
    """End everything that the person can do. False if they were disabled already.

    Websockets and waiting API calls notice it within seconds.
    """
    with changing(by) as actor:
        person = _locked(person_id)
        _check(actor, person, is_ending=True)
        if not person.is_active:
            return False
        person.is_active = False
        person.save(update_fields=["is_active"])
        person.browsers.all().delete()
        tokens.revoke_all(person)
        links.end_links_for(person)
        links.end_links_by(person)
        return True


def enable_person(*, person_id: int, by: User) -> bool:
    """Let the person sign in again with their password. False if they were enabled already."""
    with changing(by) as actor:
        person = _locked(person_id)
        _check(actor, person)
        if person.is_active:
            return False
        person.is_active = True
        person.save(update_fields=["is_active"])
        return True


def set_password(link: PersonLink, *, password: str) -> None:
    """Give the link's person this password. Raises DeadLink."""
    assert link.person_id is not None
    hashed = make_password(password)  # slow, and so before the transaction
    with transaction.atomic():
        person = _locked(link.person_id)
        if not person.is_active:
            raise links.DeadLink(links.Why.ENDED)
        links.take(link)
        person.password, person.must_change_password = hashed, False
        person.save(update_fields=["password", "must_change_password"])
        person.browsers.all().delete()


def join(link: PersonLink, *, username: str, name: str, password: str) -> User:
    """Add whoever was invited. Raises DeadLink, NameTaken."""
    hashed = make_password(password)
    with transaction.atomic():
        _lock_rights()
        links.take(link)
        roles = [role for role in Role if role in link.roles]
        person = _create(username, name, roles, list(link.teams.all()), hashed)
        PersonLink.objects.filter(pk=link.pk).update(person=person)
        return person


def administrators() -> QuerySet[User]:
    """Everybody who can administer the console now."""
    either = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    return User.objects.filter(either, is_active=True).distinct()


def may_touch(actor: User, person: User) -> bool:
    """False for a person with more rights: a new password would make them the changer's."""
    return actor.is_superuser or not (person.is_superuser or person.is_staff)


def fingerprint(person: User) -> str:
    """A value that differs when a form of this person was drawn from other data."""
    teams = sorted(team.pk for team in person.teams.all())
    facts = (person.get_full_name(), assigned_roles(person), teams, person.is_active)
    return hashlib.sha256(repr(facts).encode("utf-8", "replace")).hexdigest()[:16]


def is_taken(username: str) -> bool:
    """Upper and lower case are one name, as at the sign-in's limit of tries."""
    return User.objects.filter(username__iexact=username).exists()


@contextmanager
def changing(by: User) -> Iterator[User]:
    """One change, by somebody who is still an administrator: `by` as they are now."""
    with transaction.atomic():
        _lock_rights()
        actor = User.objects.filter(pk=by.pk).first()
        if actor is None or not may(actor, Capability.ADMINISTER):
            raise PermissionDenied
        yield actor


def _lock_rights() -> None:
    list(Group.objects.select_for_update(no_key=True).filter(name=Role.ADMINISTRATOR))


def _locked(person_id: int) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=person_id)


def _check(actor: User, person: User, *, is_ending: bool = False) -> None:
    """`is_ending`: the person would not be an administrator afterwards."""
    if not may_touch(actor, person):
        raise MoreRights
    if is_ending and not administrators().exclude(pk=person.pk).exists():
        raise LastAdministrator
    if is_ending and actor.pk == person.pk:
        raise Oneself


def _create(
    username: str, name: str, roles: Collection[Role], teams: Collection[Team], hashed: str
) -> User:
    username = User.normalize_username(username)
    if is_taken(username):
        raise NameTaken
    person = User(username=username, first_name=name, password=hashed)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise NameTaken from None
    _set_rights(person, roles, teams)
    return person


def _set_rights(person: User, roles: Collection[Role], teams: Collection[Team]) -> None:
    """Groups that are no roles stay."""
    others = person.groups.exclude(name__in=list(Role))
    person.groups.set([*others, *Group.objects.filter(name__in=list(roles))])
    person.teams.set(teams)
