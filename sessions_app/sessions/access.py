"""Finds sessions, logins and links for a user. All views look objects up here.

An object outside the user's teams answers 404, as if it did not exist.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from sessions_app.models import Invitation, LoginAttempt, ScanLink, Session
from sessions_app.people.roles import Capability, Visitor, may, team_ids_of


def require(user: Visitor, capability: Capability) -> None:
    """Raise PermissionDenied unless one of the user's roles grants the capability."""
    if not may(user, capability):
        raise PermissionDenied


def may_for_all(user: Visitor, capability: Capability, sessions: QuerySet[Session]) -> bool:
    """For a switch that concerns all of these sessions: whether each is in a team of the user."""
    others = sessions.filter(deleted_at=None).exclude(team__in=team_ids_of(user))
    return may(user, capability) and not others.exists()


def may_move_default(user: Visitor) -> bool:
    """The former default session loses its place, so it must be one of the user's, too."""
    return may_for_all(user, Capability.MANAGE_SESSIONS, Session.objects.filter(is_default=True))


def sessions_of(user: Visitor) -> QuerySet[Session]:
    return Session.objects.filter(team__in=team_ids_of(user), deleted_at=None)


def session_or_404(user: Visitor, name: str) -> Session:
    """The session with exactly this name. `default` is an ordinary name here."""
    return get_object_or_404(sessions_of(user), name=_reject_nul(name))


def _reject_nul(text: str) -> str:
    """Raise Http404 for a NUL character, which an address may contain but no database accepts."""
    if "\0" in text:
        raise Http404
    return text


def login_or_404(user: Visitor, login_id: str) -> LoginAttempt:
    """A login attempt of the user's teams. Only who manages sessions may see its QR code."""
    require(user, Capability.MANAGE_SESSIONS)
    mine = LoginAttempt.objects.filter(team__in=team_ids_of(user))
    return get_object_or_404(mine.select_related("session", "started_by"), pk=_reject_nul(login_id))


def scan_links_of(user: Visitor) -> QuerySet[ScanLink]:
    """Links of the user's teams.

    Only who manages sessions may see them: a link shows the QR code.
    """
    require(user, Capability.MANAGE_SESSIONS)
    mine = ScanLink.objects.filter(team__in=team_ids_of(user))
    return mine.select_related("session", "made_by")


def scan_link_or_404(user: Visitor, link_id: str) -> ScanLink:
    return get_object_or_404(scan_links_of(user), pk=_reject_nul(link_id))


def invitations_of(user: Visitor) -> QuerySet[Invitation]:
    require(user, Capability.MANAGE_SESSIONS)
    mine = Invitation.objects.filter(team__in=team_ids_of(user))
    return mine.select_related("team", "made_by")


def invitation_or_404(user: Visitor, pk: int) -> Invitation:
    return get_object_or_404(invitations_of(user), pk=pk)
