"""Changes sessions. Each function is one transaction that writes an event and announces on commit.

Nothing here calls WeChat; the worker finds its work in the rows.
"""

from django.db.models import F, Q
from django.utils import timezone

from sessions_app.models import (
    ACCOUNT_COLOURS,
    SENDING_STATES,
    LoginState,
    Session,
    SessionEvent,
    SessionState,
    Team,
    User,
)
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from sessions_app.sessions import names
from sessions_app.sessions.log_lines import say_state

BOUND_ELSEWHERE = "bound_elsewhere"
SIGNED_OUT = "signed_out"

HEARD_TOPIC = "heard:"
"""Followed by a session's id: it received messages, and nothing else of it changed."""


class SessionNotBound(Exception):  # noqa: N818 - a statement, like those of `names`
    """The session has no credentials, which this action requires."""


class SessionStillBound(Exception):  # noqa: N818
    """The session must be logged out before it can be deleted."""


def lock(session: Session) -> None:
    """Reload the row and lock it until the commit. The object in memory may be outdated."""
    session.refresh_from_db(from_queryset=Session.objects.select_for_update(no_key=True))


def subject_of(session: Session) -> Subject:
    """The session as the audit log names it."""
    return Subject(Kind.SESSION, session.pk, session.name, session.team_id)


def touch(change: Change, session: Session) -> None:
    change.touch(session, f"team:{session.team_id}", f"session:{session.pk}")


def record_state(
    change: Change,
    session: Session,
    state: SessionState,
    *,
    code: str = "",
    detail: str = "",
    who: User | None = None,
) -> None:
    """Set the state and its reason; record an event if the state is new.

    The caller has locked or created the row.
    """
    if session.state != state:
        session.state = state
        session.state_since = timezone.now()
        note_state(session, state, code=code, detail=detail, who=who)
    session.error_code, session.error_detail = code, detail[:400]
    session.save(update_fields=["state", "state_since", "error_code", "error_detail"])
    touch(change, session)


def note_state(
    session: Session,
    state: SessionState,
    *,
    code: str = "",
    detail: str = "",
    who: User | None = None,
) -> None:
    """Record an event about the session's state and write a log line."""
    SessionEvent.objects.create(
        session=session,
        kind=SessionEvent.Kind.STATE,
        state=state,
        code=code,
        detail=detail[:400],
        who=who,
    )
    say_state(session, state, code=code, detail=detail, who=who)


def free_name(name: str, *, team_id: int, besides: Session | None = None) -> str:
    """Return the cleaned name. Raises BadSessionName or SessionNameTaken.

    Names clash across teams. The error names the session as it is spelled if it is in this team;
    otherwise it repeats what was asked for, and says nothing about the other team.
    """
    clean = names.clean_session_name(name)
    same = Session.objects.filter(name_key=names.name_key(clean))
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if taken := same.values_list("name", "team").first():
        raise names.SessionNameTaken(taken[0] if taken[1] == team_id else clean)
    return clean


def create_session(
    *, name: str, team: Team, user: User | None = None, may_be_default: bool = True
) -> Session:
    """Create a session without credentials, inside a transaction.

    The first one becomes the default. `user`: who wanted it, if that is not who is signed in.
    """
    clean = free_name(name, team_id=team.pk)
    count = Session.objects.count()
    session = Session.objects.create(
        name=clean,
        name_key=names.name_key(clean),
        team=team,
        colour=count % ACCOUNT_COLOURS,
        is_default=may_be_default and not Session.objects.filter(is_default=True).exists(),
    )
    record(Action.SESSION_ADDED, subject_of(session), user=user)
    return session


def rename_session(*, session: Session, new_name: str, user: User | None) -> Session:
    """Rename the session; history, credentials and polling are kept. Raises SessionNameError."""
    with announcing() as change:
        lock_to_rename(session)
        clean = free_name(new_name, team_id=session.team_id, besides=session)
        names.clean_new_name(clean)
        if clean == session.name:
            return session
        SessionEvent.objects.create(
            session=session,
            kind=SessionEvent.Kind.RENAMED,
            detail=f"{session.name} → {clean}",
            who=user,
        )
        give_name(change, session, clean, user)
    return session


def give_name(change: Change, session: Session, name: str, user: User | None = None) -> None:
    """Set a name that is clean and free. Also update sessions that say "bound as" the old name."""
    record(Action.SESSION_RENAMED, subject_of(session), user=user, old=session.name, new=name)
    session.name, session.name_key = name, names.name_key(name)
    session.save(update_fields=["name", "name_key"])
    touch(change, session)
    if session.owner_id and session.state in SENDING_STATES:
        for other in Session.objects.filter(_ended_for(session)).exclude(pk=session.pk):
            Session.objects.filter(pk=other.pk).update(error_detail=name)
            touch(change, other)


def lock_to_rename(session: Session) -> None:
    """Like `lock`, but also lock the sessions that mention this one, in `LOCK_ORDER`."""
    session.refresh_from_db(fields=["owner_id"])
    rows = Session.objects.select_for_update(no_key=True).order_by("pk")
    list(rows.filter(Q(pk=session.pk) | _ended_for(session)).values_list("pk"))
    lock(session)


def _ended_for(session: Session) -> Q:
    """The account's ended sessions that name another session as the account's new one."""
    if not session.owner_id:
        return Q(pk__in=[])
    ended = Q(owner_id=session.owner_id, state=SessionState.EXPIRED)
    return ended & Q(error_code=BOUND_ELSEWHERE, deleted_at=None)


def log_out(*, session: Session, user: User | None) -> None:
    """Delete credentials and contexts; keep messages. A poll in flight cannot undo this."""
    with announcing() as change:
        lock(session)
        if session.state == SessionState.LOGGED_OUT:
            return
        forget_credentials(session)
        record(Action.SESSION_LOGGED_OUT, subject_of(session), user=user)
        SessionEvent.objects.create(session=session, kind=SessionEvent.Kind.LOGGED_OUT, who=user)
        record_state(change, session, SessionState.LOGGED_OUT, who=user)
        wake_workers()


def forget_credentials(session: Session) -> None:
    """Delete token, cursor and contexts. A new generation makes results still in flight void."""
    session.encrypted_token, session.cursor = "", ""
    session.generation += 1
    forget_evidence(session)
    session.save(update_fields=["encrypted_token", "cursor", "generation", *EVIDENCE])
    session.contexts.all().delete()


EVIDENCE = (
    "errors_in_row", "next_poll_at", "failed_at", "doubted_at",
    "throttled_at", "throttled_until", "throttle_words", "throttle_count",
)  # fmt: skip
"""What was learned while one binding was in use, except when WeChat was last heard."""


def forget_evidence(session: Session) -> None:
    """Reset the evidence in memory: it does not apply to the next binding. Does not save."""
    session.errors_in_row, session.next_poll_at, session.failed_at = 0, None, None
    session.doubted_at = None
    session.throttled_at, session.throttled_until = None, None
    session.throttle_words, session.throttle_count = "", 0


DELETABLE_STATES = (SessionState.LOGGED_OUT, SessionState.EXPIRED)


def delete_session(*, session: Session, user: User | None) -> None:
    """Hide the session and free its name; events and messages stay. Raises SessionStillBound.

    Only a session that no longer receives can be deleted. Logging out is a separate decision,
    because it tells WeChat.
    """
    with announcing() as change:
        session = Session.objects.select_for_update().get(pk=session.pk)
        if session.state not in DELETABLE_STATES:
            raise SessionStillBound
        forget_credentials(session)
        record(Action.SESSION_DELETED, subject_of(session), user=user)
        SessionEvent.objects.create(
            session=session, kind=SessionEvent.Kind.DELETED, detail=session.name, who=user
        )
        record_state(change, session, SessionState.LOGGED_OUT, who=user)
        now = timezone.now()
        session.login_attempts.filter(finished_at=None).update(
            status=LoginState.CANCELLED, finished_at=now, version=F("version") + 1
        )
        session.scan_links.filter(revoked_at=None).update(revoked_at=now)
        # No valid name contains a slash, so these values cannot clash with any name.
        suffix = f" /{session.pk}"
        session.name = session.name[: names.MAX_CHARACTERS - len(suffix)] + suffix
        session.name_key = f"/{session.pk}"
        session.is_default, session.deleted_at = False, now
        session.save(update_fields=["name", "name_key", "is_default", "deleted_at"])
        wake_workers()


def set_paused(*, session: Session, paused: bool, user: User | None) -> None:
    """Pause or resume polling; sending is not affected. Raises SessionNotBound.

    Resuming a session that is not paused changes nothing.
    """
    with announcing() as change:
        lock(session)
        if not session.encrypted_token or session.state == SessionState.EXPIRED:
            raise SessionNotBound
        if paused == (session.state == SessionState.PAUSED):
            return
        session.errors_in_row, session.next_poll_at, session.failed_at = 0, None, None
        session.save(update_fields=["errors_in_row", "next_poll_at", "failed_at"])
        state = SessionState.PAUSED if paused else SessionState.CONNECTING
        record_state(change, session, state, who=user)
        action = Action.SESSION_PAUSED if paused else Action.SESSION_RESUMED
        record(action, subject_of(session), user=user)
        wake_workers()


def set_default(*, session: Session, user: User | None) -> None:
    with announcing() as change:
        either = Session.objects.filter(Q(is_default=True) | Q(pk=session.pk))
        for other in either.select_for_update(no_key=True).order_by("pk"):
            if other.pk != session.pk:
                other.is_default = False
                other.save(update_fields=["is_default"])
                touch(change, other)
        session.is_default = True
        session.save(update_fields=["is_default"])
        record(Action.DEFAULT_CHANGED, subject_of(session), user=user)
        touch(change, session)
