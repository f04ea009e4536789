"""Links for the owner: a signed address under which anybody finds one session's QR code.

Calls no WeChat. A dead link says why in one word and nothing about its session.
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
    """The address is not, or no longer, good for a scan."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def _signer() -> Signer:
    # "." stands in no key and needs no escape in an address.
    return Signer(salt="weilink.scan-link", sep=".")


def address(link: ScanLink) -> str:
    """The whole address, as it is handed to the owner."""
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
    """A link to this code; one that lives is given again, so that there is one to revoke."""
    with announcing() as change:
        known = live(_about(session, session_name, team)).first()
        link = known or ScanLink.objects.create(
            team=team,
            session=session,
            session_name=session_name,
            attempt=attempt,
            made_by=user,
            expires_at=timezone.now() + LIFETIME,
        )
        if attempt is not None:
            LoginAttempt.objects.filter(pk=attempt.pk).update(version=F("version") + 1)
            announce(change, attempt)
    return link


def link_of(attempt: LoginAttempt) -> ScanLink | None:
    """The living link to the code of this attempt."""
    about = _about(attempt.session, attempt.session_name, attempt.team)
    return None if attempt.is_final else live(about).first()


def link_to(session: Session) -> ScanLink | None:
    """The living link to this session's code."""
    return live(_about(session, session.name, session.team)).first()


def _about(session: Session | None, name: str, team: Team) -> QuerySet[ScanLink]:
    if session is not None:
        return ScanLink.objects.filter(session=session)
    return ScanLink.objects.filter(session=None, session_name=name, team=team)


def revoke_link(*, link: ScanLink) -> None:
    """From now on it shows nothing. The code that was on its page stays good for its minutes."""
    with announcing() as change:
        ScanLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now())
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
    """None while it lives. Used goes first: to its owner that is the good news."""
    if link.used_at is not None:
        return Why.USED
    if link.revoked_at is not None:
        return Why.REVOKED
    return Why.EXPIRED if link.expires_at <= timezone.now() else None


def attempt_of(link: ScanLink) -> LoginAttempt | None:
    """The attempt to show: the open one, whoever started it, else the link's own last one."""
    if link.session is not None:
        rows = LoginAttempt.objects.filter(session=link.session)
    else:
        name = Q(session_name=link.session_name, session=None)
        rows = LoginAttempt.objects.filter(name, team=link.team)
    return rows.filter(finished_at=None).order_by("-created_at").first() or link.attempt


def open_link(link: ScanLink) -> LoginAttempt | None:
    """Somebody looks: ask for a code if none is shown, once a minute at most. Raises DeadLink."""
    shown = attempt_of(link)
    if shown is None or shown.is_final:
        shown = _start(link) or shown
    if shown is not None and link.attempt_id != shown.pk:
        ScanLink.objects.filter(pk=link.pk).update(attempt=shown)
    return shown


def ask_new_code(link: ScanLink) -> LoginAttempt | None:
    """A visitor wants another code, but not at once after the last. Raises DeadLink."""
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
