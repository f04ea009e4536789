"""The only door to sessions and logins for a person: what is not theirs does not exist."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from sessions_app.models import Invitation, LoginAttempt, ScanLink, Session
from sessions_app.people.roles import Capability, Visitor, may, team_ids_of


def require(user: Visitor, capability: Capability) -> None:
    """Raises PermissionDenied unless one of the user's roles grants it."""
    if not may(user, capability):
        raise PermissionDenied


def sessions_of(user: Visitor) -> QuerySet[Session]:
    return Session.objects.filter(team__in=team_ids_of(user), deleted_at=None)


def session_or_404(user: Visitor, name: str) -> Session:
    """By its exact name; `default` is the session of that name and no other."""
    return get_object_or_404(sessions_of(user), name=_searchable(name))


def _searchable(text: str) -> str:
    """What comes in an address may hold a NUL, which no database can look for."""
    if "\0" in text:
        raise Http404
    return text


def login_or_404(user: Visitor, login_id: str) -> LoginAttempt:
    """A login attempt of the user's teams; handing out its code is for those who manage."""
    require(user, Capability.MANAGE_SESSIONS)
    mine = LoginAttempt.objects.filter(team__in=team_ids_of(user))
    return get_object_or_404(mine.select_related("session", "started_by"), pk=_searchable(login_id))


def scan_links_of(user: Visitor) -> QuerySet[ScanLink]:
    """Links of the user's teams; a link is as good as its code, so only for those who manage."""
    require(user, Capability.MANAGE_SESSIONS)
    mine = ScanLink.objects.filter(team__in=team_ids_of(user))
    return mine.select_related("session", "made_by")


def scan_link_or_404(user: Visitor, link_id: str) -> ScanLink:
    return get_object_or_404(scan_links_of(user), pk=_searchable(link_id))


def invitations_of(user: Visitor) -> QuerySet[Invitation]:
    require(user, Capability.MANAGE_SESSIONS)
    mine = Invitation.objects.filter(team__in=team_ids_of(user))
    return mine.select_related("team", "made_by")


def invitation_or_404(user: Visitor, pk: int) -> Invitation:
    return get_object_or_404(invitations_of(user), pk=pk)
