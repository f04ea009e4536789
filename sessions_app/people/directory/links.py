"""One-time links: made for one person who has no password, or as an invitation.

The code is in the address alone; the database has its digest. Whoever has the address chooses a
password with it, so the code stands in no log, and the address is shown once.

DeadLink    the link opens nothing any more, or never did; `why` says which
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from sessions_app.people.models import PersonLink, Team, User
from sessions_app.people.roles import Role

CODE_BYTES = 32
DEFAULT_DAYS = 3
DAYS = (1, DEFAULT_DAYS, 7, 14)
"""How long a link may be good for."""


class Why(StrEnum):
    """Why an address opens nothing."""

    UNKNOWN = "unknown"
    ENDED = "ended"
    EXPIRED = "expired"
    USED = "used"


class DeadLink(Exception):  # noqa: N818 - a statement
    """The address is invalid, or the link can no longer be used."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def make_password_link(*, person: User, by: User, days: int) -> str:
    """Make the person's only link. Returns its code.

    Runs in the caller's transaction, which has locked the person.
    """
    end_links_for(person)
    code, row = _new_link(by, days)
    row.person = person
    row.save(force_insert=True)
    return code


def make_invitation(*, by: User, roles: Iterable[Role], teams: Iterable[Team], days: int) -> str:
    """Make an invitation with fixed roles and teams. Returns its code."""
    code, row = _new_link(by, days)
    row.is_invitation, row.roles = True, [role.value for role in roles]
    row.save(force_insert=True)
    row.teams.set(teams)
    return code


def _new_link(by: User, days: int) -> tuple[str, PersonLink]:
    code, now = secrets.token_urlsafe(CODE_BYTES), timezone.now()
    expires_at = now + timedelta(days=days)
    return code, PersonLink(
        digest=digest_of(code), made_by=by, created_at=now, expires_at=expires_at
    )


def digest_of(code: str) -> str:
    """What stands in the database for this code, which is random and so needs no salt."""
    return hashlib.sha256(f"person link:{code}".encode("utf-8", "replace")).hexdigest()


def address(code: str, *, is_invitation: bool) -> str:
    """The full URL, as it is handed over."""
    page = "welcome:join" if is_invitation else "welcome:password"
    return settings.PUBLIC_URL.rstrip("/") + reverse(page, args=[code])


def open_links() -> QuerySet[PersonLink]:
    now = timezone.now()
    return PersonLink.objects.filter(used_at=None, ended_at=None, expires_at__gt=now)


def open_invitations() -> QuerySet[PersonLink]:
    rows = open_links().filter(is_invitation=True)
    return rows.select_related("made_by").prefetch_related("teams")


def find(code: str, *, is_invitation: bool) -> PersonLink:
    """The link with this code, with its person. Raises DeadLink."""
    rows = PersonLink.objects.filter(is_invitation=is_invitation).select_related("person")
    found = rows.filter(digest=digest_of(code)).first()
    if found is None:
        raise DeadLink(Why.UNKNOWN)
    if why := death_of(found):
        raise DeadLink(why)
    return found


def death_of(link: PersonLink) -> Why | None:
    """Why the link is dead, or None while it works. USED comes first, as it is good news."""
    if link.used_at is not None:
        return Why.USED
    is_disabled = link.person is not None and not link.person.is_active
    if link.ended_at is not None or is_disabled:
        return Why.ENDED
    return Why.EXPIRED if link.expires_at <= timezone.now() else None


def take(link: PersonLink) -> None:
    """Use the link up, in the caller's transaction. Of two at once, one succeeds.

    Raises DeadLink.
    """
    if not open_links().filter(pk=link.pk).update(used_at=timezone.now()):
        now = PersonLink.objects.select_related("person").filter(pk=link.pk).first()
        raise DeadLink((now and death_of(now)) or Why.UNKNOWN)


def end_links_for(person: User) -> int:
    """End the open links with which this person's password could be chosen."""
    return open_links().filter(person=person).update(ended_at=timezone.now())


def end_links_by(person: User) -> int:
    """End the open links that this person made, for others too: they may know the codes."""
    return open_links().filter(made_by=person).update(ended_at=timezone.now())


def revoke(link_id: int) -> bool:
    """End one link. False if it was not open any more."""
    return open_links().filter(pk=link_id).update(ended_at=timezone.now()) > 0
