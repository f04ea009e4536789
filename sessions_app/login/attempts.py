"""QR logins as rows: what people ask for and what the driver writes down. Calls no WeChat.

A view writes an attempt and returns; the worker drives it (`driver`); every step is one
conditional update of an attempt that is not finished, announced to whoever watches.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.database.encryption import DecryptionError, decrypt, encrypt
from sessions_app.login.former_codes import Code
from sessions_app.models import (
    FINAL_LOGIN_STATES,
    POLLED_STATES,
    InvitationVisit,
    LoginAttempt,
    LoginState,
    ScanLink,
    Session,
    SessionState,
    Team,
    User,
)
from sessions_app.people.roles import Capability, what_is_lost
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.sessions import names, services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.log_lines import say_login
from sessions_app.team_settings.limits import team_settings

MAX_CODES = 3
MAX_LOCAL_TOKENS = 10
PUBLIC_REST = timedelta(seconds=20)
"""Whoever has no login gets another code after the last one was shown for this long."""
UNINVITED = "invitation_ended"
"""The error code of a login by an invitation whose maker has lost the right to invite."""


class AlreadyConnected(Exception):  # noqa: N818 - a statement, like those of `names`
    """The session receives already; a forced new login has to be asked for (HTTP 409)."""


class VerifyCodeNotWanted(Exception):  # noqa: N818
    """The attempt does not wait for digits (any more)."""


def start_login(
    *,
    user: User | None,
    session_name: str,
    team: Team,
    session: Session | None = None,
    force: bool = False,
) -> LoginAttempt:
    """Ask the worker for a QR code. Raises SessionNameError, AlreadyConnected."""
    if session is None:
        session_name = services.free_name(session_name, team_id=team.pk)
    elif is_connected(session) and not force:
        raise AlreadyConnected
    with announcing() as change:
        attempt = LoginAttempt.objects.create(
            team=session.team if session else team,
            session=session,
            session_name=session.name if session else session_name,
            started_by=user,
        )
        announce(change, attempt)
        wake_workers()
    return attempt


def is_connected(session: Session) -> bool:
    """Somebody polls it, or is about to: here or in another program."""
    polled = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
    return session.state in polled and bool(session.encrypted_token)


def announce(change: Change, attempt: LoginAttempt) -> None:
    change.mention(f"team:{attempt.team_id}", f"login:{attempt.pk}")


def write(attempt_id: str, **columns: object) -> bool:
    """One step of an unfinished attempt. False: it is finished, cancelled perhaps."""
    if columns.get("status") in FINAL_LOGIN_STATES:
        columns["finished_at"] = timezone.now()
    with announcing() as change:
        unfinished = LoginAttempt.objects.filter(pk=attempt_id, finished_at=None)
        if not unfinished.update(version=F("version") + 1, **columns):
            return False
        attempt = LoginAttempt.objects.get(pk=attempt_id)
        announce(change, attempt)
        if attempt.finished_at is not None:
            say_login(attempt)
    return True


def _finish(change: Change, attempt: LoginAttempt, status: LoginState, **columns: object) -> None:
    """The last step of an attempt that the caller has locked, finished before or not."""
    columns |= {
        "status": status,
        "version": attempt.version + 1,
        "finished_at": timezone.now(),
    }
    for name, value in columns.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=list(columns))
    announce(change, attempt)
    say_login(attempt)


def show_code(attempt_id: str, *, qrcode_handle: str, qr_url: str, status: LoginState) -> bool:
    """A fresh code is on the screen; the digits typed for an older one are forgotten."""
    return write(
        attempt_id,
        qrcode=qrcode_handle,
        qr_url=qr_url,
        qr_number=F("qr_number") + 1,
        poll_url="",
        expires_at=timezone.now() + team_settings().qr_lifetime,
        status=status,
        verify_code="",
        error_code="",
        error_detail="",
    )


def ask_new_code(*, attempt: LoginAttempt, shown_for: timedelta = timedelta(0)) -> bool:
    """Somebody wants another code on the screen now.

    False: the attempt is finished, or its code was not yet shown for so long.
    """
    drawn_before = timezone.now() - shown_for
    unfinished = LoginAttempt.objects.filter(pk=attempt.pk, finished_at=None)
    if shown_for:
        unfinished = unfinished.filter(expires_at__lte=drawn_before + team_settings().qr_lifetime)
    if not unfinished.update(wants_new_code=True):
        return False
    wake_workers()
    return True


def take_new_code_wish(attempt_id: str) -> bool:
    """Whether a new code is to be drawn now, once. A person asked, so codes count from 1 again."""
    wishes = LoginAttempt.objects.filter(pk=attempt_id, finished_at=None, wants_new_code=True)
    return bool(wishes.update(wants_new_code=False, qr_number=0))


def needs_look(attempt_id: str) -> bool:
    """Whether the driver must leave a poll: the attempt is finished, or a new code is wanted."""
    return not LoginAttempt.objects.filter(
        pk=attempt_id, finished_at=None, wants_new_code=False
    ).exists()


def show_former_code(attempt_id: str, code: Code) -> bool:
    """A replaced code was scanned: it is the attempt's code again."""
    return write(attempt_id, qrcode=code.qrcode, qr_url=code.image_content, poll_url="")


def give_verify_code(*, attempt: LoginAttempt, code: str) -> None:
    """Hand the digits of the phone to the driver. Raises VerifyCodeNotWanted.

    Until WeChat has judged them nothing is asked for: the attempt counts as scanned.
    """
    digits = "".join(code.split())
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 12:
        raise ValueError(_("Type the digits that the phone shows."))
    wanted = (LoginState.VERIFY_CODE_REQUIRED, LoginState.VERIFY_CODE_WRONG)
    waiting = LoginAttempt.objects.filter(pk=attempt.pk, finished_at=None, status__in=wanted)
    with announcing() as change:
        status = LoginState.SCANNED
        if not waiting.update(verify_code=digits, status=status, version=F("version") + 1):
            raise VerifyCodeNotWanted
        announce(change, attempt)
        wake_workers()


def take_verify_code(attempt_id: str) -> str:
    """The digits to send with the next poll, once; empty while nobody typed any."""
    waiting = LoginAttempt.objects.filter(pk=attempt_id, finished_at=None).exclude(verify_code="")
    code = waiting.values_list("verify_code", flat=True).first() or ""
    if code:
        waiting.filter(verify_code=code).update(verify_code="")
    return code


def cancel_login(*, attempt: LoginAttempt, user: User | None) -> None:
    """For a session that does not exist yet its links end too: no page would list them."""
    write(attempt.pk, status=LoginState.CANCELLED)
    links = ScanLink.objects.filter(attempt=attempt, session=None, revoked_at=None)
    links.update(revoked_at=timezone.now())
    wake_workers()


def is_open(attempt_id: str) -> bool:
    """Whether the login goes on. Ends one by an invitation that ended with its maker's rights."""
    if not LoginAttempt.objects.filter(pk=attempt_id, finished_at=None).exists():
        return False
    if not is_uninvited(attempt_id):
        return True
    end_uninvited(attempt_id)
    return False


def end_uninvited(attempt_id: str) -> None:
    """Nothing if the login is finished already."""
    if write(attempt_id, status=LoginState.CANCELLED, error_code=UNINVITED):
        wake_workers()


def is_uninvited(attempt_id: str) -> bool:
    """Whether it came by an invitation whose maker may not manage sessions of the team any more."""
    visits = InvitationVisit.objects.filter(attempt=attempt_id)
    visit = visits.select_related("invitation__made_by").first()
    if visit is None:
        return False
    invitation = visit.invitation
    maker, team_id = invitation.made_by, invitation.team_id
    return what_is_lost(maker, Capability.MANAGE_SESSIONS, team_id) is not None


def local_tokens(attempt: LoginAttempt) -> list[str]:
    """The newest living bot tokens we hold, besides the one that this login is to replace."""
    alive = Session.objects.filter(state__in=[*POLLED_STATES, SessionState.PAUSED])
    others = alive.exclude(encrypted_token="").exclude(pk=attempt.session_id or 0)
    encrypted = others.order_by(F("bound_at").desc(nulls_last=True)).values_list(
        "encrypted_token", flat=True
    )
    return list(islice(_readable(encrypted), MAX_LOCAL_TOKENS))


def _readable(encrypted: Iterable[str]) -> Iterator[str]:
    """Those that our keys open: one that they do not is said elsewhere and stops no login."""
    for token in encrypted:
        with suppress(DecryptionError):
            yield decrypt(token)


def confirm(attempt_id: str, credentials: Credentials) -> None:
    """Store what the scan brought: bind the session, or keep another account's token encrypted."""
    with announcing() as change:
        attempt = LoginAttempt.objects.select_for_update().get(pk=attempt_id)
        if attempt.status == LoginState.CONFIRMED:
            return
        # Even a cancelled attempt goes on: WeChat handed the token out and ended the older one.
        known = attempt.session
        is_other = known is not None and known.owner_id not in ("", credentials.user_id)
        uninvited = UNINVITED if is_uninvited(attempt_id) else ""
        if is_other or uninvited:
            kept = encrypt(credentials.to_json())
            _finish(
                change,
                attempt,
                LoginState.OTHER_ACCOUNT,
                encrypted_result=kept,
                error_code=uninvited,
            )
            return
        session = known or services.create_session(
            name=name_still_free(attempt.session_name),
            team=attempt.team,
            user=attempt.started_by,
        )
        bind(change, session, credentials, who=attempt.started_by)
        _use_up_links(attempt_id, session)
        _let_visitor_in(attempt_id, session)
        _confirm(change, attempt, session)


def resolve_other_account(
    *, attempt: LoginAttempt, replace: bool, new_name: str, user: User | None
) -> Session:
    """After `other_account`: bind the kept token to the session, or to a new one."""
    with announcing() as change:
        attempt = LoginAttempt.objects.select_for_update().get(pk=attempt.pk)
        if attempt.status != LoginState.OTHER_ACCOUNT or not attempt.encrypted_result:
            raise VerifyCodeNotWanted
        if replace and attempt.session is None:  # by an invitation: there is nothing to replace
            raise VerifyCodeNotWanted
        credentials = Credentials.from_json(decrypt(attempt.encrypted_result))
        session = attempt.session if replace else None
        session = session or services.create_session(name=new_name, team=attempt.team, user=user)
        bind(change, session, credentials, who=user)
        _use_up_links(attempt.pk, session)
        _let_visitor_in(attempt.pk, session)
        _confirm(change, attempt, session, encrypted_result="", error_code="")
    return session


def forget_finished(before: datetime) -> int:
    """Delete what finished before this moment, unless somebody must still decide about it.

    Visits by invitation that nobody scanned are counted with their attempts, and those go first.
    """
    old = LoginAttempt.objects.filter(finished_at__lt=before)
    undecided = Q(status=LoginState.OTHER_ACCOUNT) & ~Q(encrypted_result="")
    uncounted = Q(invitation_visits__came_at=None, invitation_visits__isnull=False)
    ids = list(old.exclude(undecided).exclude(uncounted).values_list("pk", flat=True))
    return LoginAttempt.objects.filter(pk__in=ids).delete()[0]


def _confirm(change: Change, attempt: LoginAttempt, session: Session, **columns: object) -> None:
    """The session is bound: so ends the attempt, and workers may poll."""
    columns |= {"session": session, "session_name": session.name}
    _finish(change, attempt, LoginState.CONFIRMED, **columns)
    wake_workers()


def _use_up_links(attempt_id: str, session: Session) -> None:
    """Whoever scanned, and from where: a link to this code must not bring another account."""
    links = ScanLink.objects.filter(Q(attempt=attempt_id) | Q(session=session), used_at=None)
    links.update(used_at=timezone.now(), session=session)


def _let_visitor_in(attempt_id: str, session: Session) -> None:
    """A scan by invitation: file the new session under its label."""
    visit = InvitationVisit.objects.filter(attempt=attempt_id).select_related("invitation").first()
    if visit is None:
        return
    visit.session, visit.came_at = session, timezone.now()
    visit.save(update_fields=["session", "came_at"])
    session.label = visit.invitation.label
    session.save(update_fields=["label"])


def name_still_free(name: str, *, is_free: Callable[[str], bool] = lambda _name: True) -> str:
    """The wanted name, or the next one with a number: a scan's token is never dropped.

    `is_free`: whether nothing else but our own rows has it either.
    """
    candidate, number = name, 1
    while _is_taken(candidate) or not is_free(candidate):
        number += 1
        candidate = _shortened(name, suffix := f" {number}") + suffix
    return candidate


def _is_taken(name: str) -> bool:
    return Session.objects.filter(name_key=names.name_key(name)).exists()


def _shortened(name: str, suffix: str) -> str:
    """As much of the name as leaves room for the suffix, in characters and in bytes."""
    room = names.MAX_BYTES - len(suffix.encode())
    cut = name[: names.MAX_CHARACTERS - len(suffix)]
    return cut.encode()[:room].decode(errors="ignore")
