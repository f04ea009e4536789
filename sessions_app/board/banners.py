"""Banners on every page about sessions that were signed out or are received elsewhere. Reads only.

A banner says how to fix the problem: it has a button for users who may scan, and else names whom to
ask.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.models import Session, SessionState, User
from sessions_app.people.roles import Capability, Role, Visitor, may
from sessions_app.sessions.access import sessions_of
from sessions_app.text.unseen import apart

SINGLY = 2
NAMED = 3
_TOLD = (SessionState.EXPIRED, SessionState.POLLED_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Banner:
    """One banner. `key` stays the same while the content does, so that a reader can dismiss it.

    `session`: the session that the button fixes, or None if the banner is about several.
    """

    key: str
    tone: str
    icon: str
    sentence: str
    remedy: str = ""
    session: Session | None = None


def banners_for(user: Visitor) -> list[Banner]:
    """Takes one query, or two if an agent must be told whom to ask."""
    rows = sessions_of(user).filter(state__in=_TOLD).order_by("name_key")
    told = list(rows.defer("cursor", "encrypted_token"))
    out = [one for one in told if one.state == SessionState.EXPIRED]
    elsewhere = [one for one in told if one.state == SessionState.POLLED_ELSEWHERE]
    return [*_signed_out(user, out), *_elsewhere(user, elsewhere)]


def _signed_out(user: Visitor, sessions: list[Session]) -> list[Banner]:
    if not sessions:
        return []
    remedy = "" if may(user, Capability.MANAGE_SESSIONS) else _whom_to_ask(sessions)
    if len(sessions) > SINGLY:
        words = _("%(names)s were signed out by WeChat. They can't receive or send messages.") % {
            "names": _names(sessions)
        }
        return [Banner(_key(sessions), "bad", "smartphone", words, remedy)]
    return [
        Banner(
            _key([one]),
            "bad",
            "smartphone",
            _("“%(name)s” was signed out by WeChat. It can't receive or send messages.")
            % {"name": one.name},
            remedy,
            one,
        )
        for one in sessions
    ]


def _elsewhere(user: Visitor, sessions: list[Session]) -> list[Banner]:
    """Only for users who read conversations; the board shows this in the session's row."""
    if not sessions or not may(user, Capability.READ_CONVERSATIONS):
        return []
    words = _(
        "Another program receives for %(names)s. Messages may not appear here. Replies "
        "still go out."
    ) % {"names": _names(sessions)}
    return [Banner(_key(sessions), "warn", "triangle-alert", words)]


def _names(sessions: list[Session]) -> str:
    named = [_("“%(name)s”") % {"name": one.name} for one in sessions[:NAMED]]
    if more := len(sessions) - len(named):
        named.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
    return _(", ").join(named)


def _key(sessions: list[Session]) -> str:
    return "-".join(f"{one.pk}.{int(one.state_since.timestamp())}" for one in sessions[:50])


def _whom_to_ask(sessions: list[Session]) -> str:
    """Name the operators of these teams, or else the administrators."""
    active = User.objects.filter(is_active=True).order_by("username")
    operators = active.filter(
        groups__name=Role.OPERATOR, teams__in={one.team_id for one in sessions}
    )
    people = list(operators.distinct()[:NAMED]) or list(
        active.filter(groups__name=Role.ADMINISTRATOR)[:NAMED]
    )
    if not people:
        return _("Ask an administrator to have the QR code scanned again.")
    names = _(", ").join(apart(one.display_name) for one in people)
    return _("Ask %(names)s to have the QR code scanned again.") % {"names": names}
