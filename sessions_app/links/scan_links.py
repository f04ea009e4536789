"""Scan links: signed addresses under which anybody can see the QR code of one session.

They are made for the owner of the WeChat account. Nothing here calls WeChat. A dead link gives the
reason in one word and reveals nothing about its session.
"""

from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from sessions_app.login import attempts
from sessions_app.login.attempts import AlreadyConnected, announce, start_login
from sessions_app.models import LoginAttempt, ScanLink, Session, SessionState, Team, User
from sessions_app.realtime.streams import announcing
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions.names import SessionNameError

LIFETIME = timedelta(hours=24)
REST = timedelta(minutes=1)
SCANNABLE_STATES = (SessionState.LOGGED_OUT, SessionState.EXPIRED)


class Why(StrEnum):
    """Why an address shows no code."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED = "used"


class DeadLink(Exception):  # noqa: N818 - a statement, like those of `names`
    """The address is invalid, or the link can no longer be used."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def _signer() -> Signer:
    # "." occurs in no key and needs no escape in a URL.
    return Signer(salt="weilink.scan-link", sep=".")


def address(link: ScanLink) -> str:
    """The full URL, as it is given to the owner."""
    path = reverse("public:scan", args=[_signer().sign(link.pk)])
    return settings.PUBLIC_URL.rstrip("/") + path


def live(links: QuerySet[ScanLink]) -> QuerySet[ScanLink]:
    return links.filter(revoked_at=None, used_at=None, expires_at__gt=timezone.now())


def make_link(
    *,
    user: User | None,
    team: Team,
    session_name: str,
    session: Session | None = None,
    attempt: LoginAttempt | None = None,
) -> ScanLink:
    """Make a link to this QR code.

    An existing live link is returned, so that there is only one to revoke.
    """
    with announcing() as change:
        known = live(_links_for(session, session_name, team)).first()
        link = known or ScanLink.objects.create(
            team=team,
            session=session,
            session_name=session_name,
            attempt=attempt,
            made_by=user,
            expires_at=timezone.now() + LIFETIME,
        )
        if known is None:
            record(Action.LINK_MADE, _subject(link), user=user)
        if attempt is not None:
            LoginAttempt.objects.filter(pk=attempt.pk).update(version=F("version") + 1)
            announce(change, attempt)
    return link


def _subject(link: ScanLink) -> Subject:
    """Without the address, which shows the QR code to whoever has it."""
    return Subject(Kind.LINK, name=link.session_name, team_id=link.team_id)


def link_of(attempt: LoginAttempt) -> ScanLink | None:
    """The live link to the QR code of this attempt."""
    about = _links_for(attempt.session, attempt.session_name, attempt.team)
    return None if attempt.is_final else live(about).first()


def link_to(session: Session) -> ScanLink | None:
    """The live link to this session's QR code."""
    return live(_links_for(session, session.name, session.team)).first()


def _links_for(session: Session | None, name: str, team: Team) -> QuerySet[ScanLink]:
    if session is not None:
        return ScanLink.objects.filter(session=session)
    return ScanLink.objects.filter(session=None, session_name=name, team=team)


def revoke_link(*, link: ScanLink) -> None:
    """Make the link show nothing.

    A QR code that was already shown stays valid until WeChat expires it.
    """
    with announcing() as change:
        living = ScanLink.objects.filter(pk=link.pk, revoked_at=None)
        if living.update(revoked_at=timezone.now()):
            record(Action.LINK_REVOKED, _subject(link))
        if link.attempt is not None:
            LoginAttempt.objects.filter(pk=link.attempt_id).update(version=F("version") + 1)
            announce(change, link.attempt)


def find_link(token: str) -> ScanLink:
    """The link of a public address. Raises DeadLink."""
    try:
        key = _signer().unsign(token)
    except BadSignature:
        raise DeadLink(Why.UNKNOWN) from None
    link = ScanLink.objects.select_related("session", "attempt", "team", "made_by")
    found = link.filter(pk=key).first()
    if found is None:
        raise DeadLink(Why.UNKNOWN)
    if why := death_of(found):
        raise DeadLink(why)
    return found


def death_of(link: ScanLink) -> Why | None:
    """Why the link is dead, or None while it is live.

    USED comes first: it is good news for the owner.
    """
    if link.used_at is not None:
        return Why.USED
    if link.revoked_at is not None:
        return Why.REVOKED
    return Why.EXPIRED if link.expires_at <= timezone.now() else None


def attempt_of(link: ScanLink) -> LoginAttempt | None:
    """The attempt to show: the open one, whoever started it, or else the link's last one."""
    if link.session is not None:
        rows = LoginAttempt.objects.filter(session=link.session)
    else:
        name = Q(session_name=link.session_name, session=None)
        rows = LoginAttempt.objects.filter(name, team=link.team)
    return rows.filter(finished_at=None).order_by("-created_at").first() or link.attempt


def open_link(link: ScanLink) -> LoginAttempt | None:
    """Request a QR code if none is shown, at most once a minute. Raises DeadLink."""
    shown = attempt_of(link)
    if shown is None or shown.is_final:
        shown = _start(link) or shown
    if shown is not None and link.attempt_id != shown.pk:
        ScanLink.objects.filter(pk=link.pk).update(attempt=shown)
    return shown


def ask_new_code(link: ScanLink) -> LoginAttempt | None:
    """Request another QR code, but not right after the last one. Raises DeadLink."""
    shown = attempt_of(link)
    if shown is None or shown.is_final:
        return open_link(link)
    attempts.ask_new_code(attempt=shown, shown_for=attempts.PUBLIC_REST)
    return shown


def _start(link: ScanLink) -> LoginAttempt | None:
    if link.session is not None and link.session.state not in SCANNABLE_STATES:
        raise DeadLink(Why.USED)
    now = timezone.now()
    rested = Q(started_at=None) | Q(started_at__lte=now - REST)
    if not ScanLink.objects.filter(rested, pk=link.pk).update(started_at=now):
        return None
    try:
        return start_login(
            user=link.made_by,
            session_name=link.session_name,
            team=link.team,
            session=link.session,
        )
    except (AlreadyConnected, SessionNameError):
        raise DeadLink(Why.USED) from None
