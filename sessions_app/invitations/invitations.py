"""Invitations: a public address where each visitor scans a session of their own.

A session is created only when its scan is confirmed. Nothing here calls WeChat.

An invitation ends when it is revoked or expires, and while the member who made it may not manage
sessions of its team. The last is computed at each use: a member who gets the rights back invites
again.
"""

import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from sessions_app.login.attempts import (
    PUBLIC_REST,
    ask_new_code,
    end_uninvited,
    name_still_free,
    start_login,
)
from sessions_app.models import Invitation, InvitationVisit, LoginAttempt, LoginState, Team, User
from sessions_app.people import throttle
from sessions_app.people.roles import Capability, Lost, what_is_lost
from sessions_app.people.throttle import Bucket, Empty, Level
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions import names

HOUR = timedelta(hours=1)
HOUR_S = int(HOUR.total_seconds())
KEPT = timedelta(minutes=10)
"""How long a visitor can restart an unscanned QR code by the cookie."""
DAYS = (1, 7, 30, 90, 365)
"""How long an invitation may be good for; the last is the maximum."""
USUAL_DAYS = 90
SHARES = 4
"""One network gets at most this part of the hour's codes, so that nobody uses them all up."""


class Why(StrEnum):
    """Why an invitation has ended. The last four are those of `Lost`."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    DELETED = "deleted"
    DISABLED = "disabled"
    ROLE = "role"
    TEAM = "team"


class InvitationOver(Exception):  # noqa: N818 - a statement, like those of `names`
    """The invitation has ended, or nobody made it (`why` is None)."""

    def __init__(self, why: Why | None, visit: InvitationVisit | None = None) -> None:
        super().__init__(why)
        self.why, self.visit = why, visit


class InvitationFull(Exception):  # noqa: N818
    """No code now: for `wait_s` seconds, or for good if that is 0.

    `by_network`: the visitor's network has used its share, and others still get codes.
    """

    def __init__(self, *, wait_s: int = 0, by_network: bool = False) -> None:
        super().__init__(wait_s, by_network)
        self.wait_s, self.by_network = wait_s, by_network


def address(invitation: Invitation) -> str:
    path = reverse("invite:page", args=[invitation.code])
    return settings.PUBLIC_URL.rstrip("/") + path


def make_invitation(
    *,
    user: User | None,
    team: Team,
    prefix: str,
    label: str,
    per_hour: int,
    in_all: int,
    days: int = USUAL_DAYS,
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
            expires_at=timezone.now() + timedelta(days=min(days, DAYS[-1])),
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


def why_over(invitation: Invitation) -> Why | None:
    """Why the invitation has ended, or None while it admits visitors."""
    if invitation.revoked_at is not None:
        return Why.REVOKED
    if invitation.expires_at <= timezone.now():
        return Why.EXPIRED
    lost = _lost(invitation)
    return None if lost is None else Why(lost.value)


def _lost(invitation: Invitation) -> Lost | None:
    return what_is_lost(invitation.made_by, Capability.MANAGE_SESSIONS, invitation.team_id)


def arrive(code: str, key: str) -> tuple[Invitation, InvitationVisit | None]:
    """The invitation with this code, and the visit that the visitor's cookie names.

    After it expired, it is still there for those whose login is under way or done. Ends the
    visitor's login if the maker has lost the right to invite. Raises InvitationOver.
    """
    rows = Invitation.objects.select_related("team", "made_by")
    invitation = rows.filter(code=code).first()
    if invitation is None:
        raise InvitationOver(None)
    visit = _visit_of(invitation, key)
    why = why_over(invitation)
    if why is None or (why is Why.EXPIRED and _may_finish(invitation, visit)):
        return invitation, visit
    if visit is not None and visit.attempt is not None and _lost(invitation) is not None:
        end_uninvited(visit.attempt.pk)
        visit.attempt.refresh_from_db()
    raise InvitationOver(why, visit)


def _visit_of(invitation: Invitation, key: str) -> InvitationVisit | None:
    if not key or len(key) > 32:
        return None
    return invitation.visits.select_related("attempt").filter(pk=key).first()


def _may_finish(invitation: Invitation, visit: InvitationVisit | None) -> bool:
    return visit is not None and not _is_over(visit) and _lost(invitation) is None


def enter(
    invitation: Invitation, visit: InvitationVisit | None, *, network: str
) -> InvitationVisit:
    """Return a visit with a QR code: the open login's, or else a new one's.

    `network`: where the visitor comes from, for the share. Raises InvitationFull, InvitationOver.
    """
    if why := why_over(invitation):
        raise InvitationOver(why, visit)
    if visit is not None and not _is_over(visit):
        if visit.attempt is not None:
            ask_new_code(attempt=visit.attempt, shown_for=PUBLIC_REST)
        return visit
    # Counted in a transaction of its own: nobody waits for this row while a login starts.
    share = _take_share(invitation, network)
    try:
        return _start(invitation)
    except BaseException:
        throttle.give_back(share)
        raise


def _start(invitation: Invitation) -> InvitationVisit:
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


def share_of(per_hour: int) -> int:
    """How many of the hour's codes one network gets: a part, rounded up."""
    return -(-per_hour // SHARES)


def _take_share(invitation: Invitation, network: str) -> str:
    """Count one code for this network; returns the bucket's name. Raises InvitationFull."""
    name = f"invitation {invitation.pk} from {network}"
    try:
        throttle.take(name, Bucket(share_of(invitation.per_hour), HOUR_S), time.time())
    except Empty as empty:
        raise InvitationFull(wait_s=empty.wait_s, by_network=True) from None
    return name


def _count(invitation: Invitation, moment: datetime) -> None:
    """One more code of this hour, with a number of its own.

    The throttle's level is in the row: it survives a restart, and a login that cannot be started
    gives its token back with the transaction.
    """
    if invitation.visits.count() >= invitation.in_all:
        raise InvitationFull
    hourly = Bucket(capacity=invitation.per_hour, refill_s=HOUR_S)
    began = invitation.hour_began_at
    level = Level(began.timestamp(), invitation.hour_count) if began is not None else None
    try:
        level = hourly.take(level, moment.timestamp())
    except Empty as empty:
        raise InvitationFull(wait_s=empty.wait_s) from None
    invitation.hour_began_at = datetime.fromtimestamp(level.full_at, UTC)
    invitation.hour_count = level.taken
    invitation.last_number += 1
    invitation.save(update_fields=["hour_began_at", "hour_count", "last_number"])


def sweep(invitation: Invitation) -> None:
    """Delete visits that nobody scanned and add them to the `unscanned` count. Idempotent.

    A scan that waits for an operator's decision is kept, with its credentials.
    """
    over = invitation.visits.filter(
        came_at=None, attempt__finished_at__lt=timezone.now() - KEPT, attempt__encrypted_result=""
    ).exclude(attempt__status=LoginState.CONFIRMED)
    with transaction.atomic():
        pairs = list(over.values_list("pk", "attempt"))
        invitation.visits.filter(pk__in=[visit for visit, _ in pairs]).delete()
        LoginAttempt.objects.filter(pk__in=[attempt for _, attempt in pairs]).delete()
        rows = Invitation.objects.filter(pk=invitation.pk)
        rows.update(unscanned=F("unscanned") + len(pairs))
