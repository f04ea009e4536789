"""Invitations: a public address where each visitor scans a session of their own.

A session is created only when its scan is confirmed. Nothing here calls WeChat.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from sessions_app.login.attempts import PUBLIC_REST, ask_new_code, name_still_free, start_login
from sessions_app.models import Invitation, InvitationVisit, LoginAttempt, LoginState, Team, User
from sessions_app.people.throttle import Bucket, Empty, Level
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions import names

HOUR = timedelta(hours=1)
KEPT = timedelta(minutes=10)
"""How long a visitor can restart an unscanned QR code by the cookie."""


class InvitationOver(Exception):  # noqa: N818 - a statement, like those of `names`
    """The invitation is unknown or revoked."""


class InvitationFull(Exception):  # noqa: N818
    """The maximum number of people is reached, in total (`for_good`) or for this hour."""

    def __init__(self, *, for_good: bool) -> None:
        super().__init__(for_good)
        self.for_good = for_good


def address(invitation: Invitation) -> str:
    path = reverse("invite:page", args=[invitation.code])
    return settings.PUBLIC_URL.rstrip("/") + path


def make_invitation(
    *, user: User | None, team: Team, prefix: str, label: str, per_hour: int, in_all: int
) -> Invitation:
    """Create an invitation.

    Raises SessionNameError if no session name can begin with the prefix.
    """
    clean = names.clean_session_name(_numbered(prefix, 1)).rpartition(" ")[0]
    with transaction.atomic():
        made = Invitation.objects.create(
            team=team,
            prefix=clean,
            label=label.strip(),
            per_hour=per_hour,
            in_all=in_all,
            made_by=user,
        )
        record(Action.INVITATION_MADE, _subject(made), user=user)
    return made


def _subject(invitation: Invitation) -> Subject:
    """Without the code, which lets in whoever has it."""
    return Subject(Kind.INVITATION, invitation.pk, invitation.prefix, invitation.team_id)


def _numbered(prefix: str, number: int) -> str:
    return f"{prefix} {number:04}"


def revoke(*, invitation: Invitation) -> None:
    """Admit no more visitors. Scans in progress may finish, and existing sessions stay."""
    rows = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    with transaction.atomic():
        if rows.update(revoked_at=timezone.now()):
            record(Action.INVITATION_REVOKED, _subject(invitation))


def find(code: str) -> Invitation:
    """The invitation with this code. Raises InvitationOver."""
    found = Invitation.objects.filter(code=code, revoked_at=None).select_related("team").first()
    if found is None:
        raise InvitationOver
    return found


def visit_of(invitation: Invitation, key: str) -> InvitationVisit | None:
    """The visit that the visitor's cookie names."""
    if not key or len(key) > 32:
        return None
    return invitation.visits.select_related("attempt").filter(pk=key).first()


def enter(invitation: Invitation, visit: InvitationVisit | None) -> InvitationVisit:
    """Return a visit with a QR code: the open login's, or else a new one's.

    Raises InvitationFull.
    """
    if visit is not None and not _is_over(visit):
        if visit.attempt is not None:
            ask_new_code(attempt=visit.attempt, shown_for=PUBLIC_REST)
        return visit
    with transaction.atomic():
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        sweep(locked)
        _count(locked, timezone.now())
        attempt = start_login(
            user=locked.made_by,
            session_name=name_still_free(_numbered(locked.prefix, locked.last_number)),
            team=locked.team,
        )
        return InvitationVisit.objects.create(invitation=locked, attempt=attempt)


def _is_over(visit: InvitationVisit) -> bool:
    return visit.came_at is None and (visit.attempt is None or visit.attempt.is_final)


def _count(invitation: Invitation, moment: datetime) -> None:
    """One more code of this hour, with a number of its own.

    The throttle's level is in the row: it survives a restart, and a login that cannot be started
    gives its token back with the transaction.
    """
    if invitation.visits.count() >= invitation.in_all:
        raise InvitationFull(for_good=True)
    hourly = Bucket(capacity=invitation.per_hour, refill_s=int(HOUR.total_seconds()))
    began = invitation.hour_began_at
    level = Level(began.timestamp(), invitation.hour_count) if began is not None else None
    try:
        level = hourly.take(level, moment.timestamp())
    except Empty:
        raise InvitationFull(for_good=False) from None
    invitation.hour_began_at = datetime.fromtimestamp(level.full_at, UTC)
    invitation.hour_count = level.taken
    invitation.last_number += 1
    invitation.save(update_fields=["hour_began_at", "hour_count", "last_number"])


def sweep(invitation: Invitation) -> None:
    """Delete visits that nobody scanned and add them to the `unscanned` count. Idempotent."""
    over = invitation.visits.filter(
        came_at=None, attempt__finished_at__lt=timezone.now() - KEPT
    ).exclude(attempt__status=LoginState.CONFIRMED)
    with transaction.atomic():
        pairs = list(over.values_list("pk", "attempt"))
        invitation.visits.filter(pk__in=[visit for visit, _ in pairs]).delete()
        LoginAttempt.objects.filter(pk__in=[attempt for _, attempt in pairs]).delete()
        rows = Invitation.objects.filter(pk=invitation.pk)
        rows.update(unscanned=F("unscanned") + len(pairs))
