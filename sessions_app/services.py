"""Changes of sessions: each one transaction, an event that says who and why, announced on commit.

Nothing here calls WeChat; the worker finds what there is to do in the rows.
"""

from django.db.models import Q
from django.utils import timezone

from sessions_app import names
from sessions_app.models import (
    ACCOUNT_COLOURS,
    Session,
    SessionEvent,
    SessionState,
    Team,
    User,
)
from sessions_app.realtime import Change, announcing, wake_workers


class SessionNotBound(Exception):  # noqa: N818 - a statement, like those of `names`
    """The session has no credentials, so this cannot be done with it."""


def lock(session: Session) -> None:
    """Read the row anew, locked until the commit: the object may be older than a log-out."""
    session.refresh_from_db(from_queryset=Session.objects.select_for_update(no_key=True))


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
    """Set state and reason; a new state is an event. The caller has locked the row, or made it."""
    if session.state != state:
        session.state = state
        session.state_since = timezone.now()
        SessionEvent.objects.create(
            session=session,
            kind=SessionEvent.Kind.STATE,
            state=state,
            code=code,
            detail=detail[:400],
            who=who,
        )
    session.error_code, session.error_detail = code, detail[:400]
    session.save(update_fields=["state", "state_since", "error_code", "error_detail"])
    touch(change, session)


def free_name(name: str, *, besides: Session | None = None) -> str:
    """The cleaned name. Raises BadSessionName, SessionNameTaken."""
    clean = names.clean_session_name(name)
    same = Session.objects.filter(name_key=names.name_key(clean))
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if taken := same.values_list("name", flat=True).first():
        raise names.SessionNameTaken(taken)
    return clean


def create_session(*, name: str, team: Team) -> Session:
    """A row without credentials; the first one is the default. Inside a transaction."""
    clean = free_name(name)
    count = Session.objects.count()
    return Session.objects.create(
        name=clean,
        name_key=names.name_key(clean),
        team=team,
        colour=count % ACCOUNT_COLOURS,
        is_default=not Session.objects.filter(is_default=True).exists(),
    )


def rename_session(*, session: Session, new_name: str, user: User | None) -> Session:
    """Give another name; history, credentials and polling stay. Raises SessionNameError."""
    with announcing() as change:
        lock(session)
        clean = free_name(new_name, besides=session)
        names.clean_new_name(clean)
        if clean == session.name:
            return session
        SessionEvent.objects.create(
            session=session,
            kind=SessionEvent.Kind.RENAMED,
            detail=f"{session.name} → {clean}",
            who=user,
        )
        session.name, session.name_key = clean, names.name_key(clean)
        session.save(update_fields=["name", "name_key"])
        touch(change, session)
    return session


def log_out(*, session: Session, user: User | None) -> None:
    """Forget credentials and contexts, keep messages. A poll in flight cannot undo it."""
    with announcing() as change:
        lock(session)
        session.sealed_token, session.cursor = "", ""
        session.generation += 1
        session.errors_in_row, session.next_poll_at = 0, None
        session.save(
            update_fields=[
                "sealed_token", "cursor", "generation", "errors_in_row", "next_poll_at",
            ]
        )  # fmt: skip
        session.contexts.all().delete()
        SessionEvent.objects.create(session=session, kind=SessionEvent.Kind.LOGGED_OUT, who=user)
        record_state(change, session, SessionState.LOGGED_OUT, who=user)
        wake_workers()


def set_paused(*, session: Session, paused: bool, user: User | None) -> None:
    """Stop or go on polling; sending is not touched. Raises SessionNotBound."""
    with announcing() as change:
        lock(session)
        if not session.sealed_token or session.state == SessionState.EXPIRED:
            raise SessionNotBound
        state = SessionState.PAUSED if paused else SessionState.CONNECTING
        record_state(change, session, state, who=user)
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
        touch(change, session)
