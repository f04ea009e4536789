"""The session rows that the mirror compares, and the effects of folder changes on them.

Database only, no file access. Each change is one transaction with its event, and is announced.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from django.db.models import Q

from sessions_app.database.encryption import DecryptionError, decrypt
from sessions_app.folder.mirror.comparing import RowState
from sessions_app.folder.store import FoundSession, StoredToken, digest
from sessions_app.login import attempts
from sessions_app.models import (
    POLLED_STATES,
    SENDING_STATES,
    Session,
    SessionEvent,
    SessionState,
    Team,
)
from sessions_app.models.shared_folder import FOLDER_CODES, HOLDER_STOPPED
from sessions_app.realtime.streams import announcing, wake_workers
from sessions_app.recording.actions import Action
from sessions_app.recording.record import record
from sessions_app.sessions import names, services
from sessions_app.sessions.binding import Credentials, bind

Decrypted = dict[int, tuple[str, str]]
"""Session id → (encrypted, decrypted). Avoids decrypting a token at every sweep."""


def row_states(decrypted: Decrypted) -> list[RowState]:
    """All rows that have or had files in the folder."""
    columns = Session.objects.order_by("pk").values_list(
        "pk", "name", "encrypted_token", "bound_at", "filed_name", "filed_token",
        "generation", "cursor", "deleted_at",
    )  # fmt: skip
    kept = columns.filter(Q(deleted_at=None) | ~Q(filed_name=""))
    return [_row_state(*row, decrypted=decrypted) for row in kept]


def _row_state(
    pk: int, name: str, encrypted: str, bound_at: datetime | None, filed_name: str,
    filed_token: str, generation: int, cursor: str, deleted_at: datetime | None, *,
    decrypted: Decrypted,
) -> RowState:  # fmt: skip
    token, is_unreadable = _decrypt_cached(pk, encrypted, decrypted)
    return RowState(
        pk=pk,
        name=name,
        token=token,
        bound_at_s=bound_at.timestamp() if bound_at else 0.0,
        filed_name=filed_name,
        filed_token=filed_token,
        generation=generation,
        cursor=cursor,
        is_deleted=deleted_at is not None,
        is_unreadable=is_unreadable,
    )


def _decrypt_cached(pk: int, encrypted: str, decrypted: Decrypted) -> tuple[str, bool]:
    known = decrypted.get(pk)
    if known is None or known[0] != encrypted:
        try:
            known = (encrypted, decrypt(encrypted))
        except DecryptionError:
            return "", True
        decrypted[pk] = known
    return known[1], False


def adopt(found: FoundSession) -> None:
    """Create a row in the first team for a session that another program logged in."""
    team = Team.objects.order_by("pk").first()
    if team is None or found.token is None:
        return
    with announcing():
        session = services.create_session(name=found.name, team=team, may_be_default=False)
    follow_login(session.pk, found)


def follow_login(pk: int, found: FoundSession) -> None:
    """Another program scanned: take over its credentials and cursor."""
    token = found.token
    assert token is not None
    with announcing() as change:
        session = Session.objects.get(pk=pk)
        bind(change, session, _credentials(token), who=None, from_folder=True)
        session.cursor = token.cursor
        session.filed_name, session.filed_token = found.name, digest(token.token)
        if token.created_at_s:
            session.bound_at = datetime.fromtimestamp(token.created_at_s, UTC)
        session.save(update_fields=["cursor", "filed_name", "filed_token", "bound_at"])
        wake_workers()


def _credentials(token: StoredToken) -> Credentials:
    return Credentials(token.token, token.bot_id, token.base_url, token.user_id)


def follow_rename(pk: int, found: FoundSession) -> None:
    """Another program renamed the session. A concurrent rename here wins and is filed next."""
    with announcing() as change:
        session = Session.objects.get(pk=pk)
        services.lock_to_rename(session)
        if session.name == session.filed_name:
            name = names.clean_session_name(found.name)
            same = Session.objects.filter(name_key=names.name_key(name)).exclude(pk=pk)
            if not same.exists():
                _note(session, SessionEvent.Kind.RENAMED, f"{session.name} → {name}")
                services.give_name(change, session, name)
        session.filed_name = found.name
        session.save(update_fields=["filed_name"])
        services.touch(change, session)


def keep_old_name(pk: int) -> None:
    """Undo a rename, because the folder has another session of the new name."""
    with announcing() as change:
        session = Session.objects.get(pk=pk)
        services.lock_to_rename(session)
        _note(session, SessionEvent.Kind.RENAMED, f"{session.name} → {session.filed_name}")
        services.give_name(change, session, session.filed_name)


def follow_logout(pk: int) -> None:
    """Another program logged the session out: delete credentials and contexts here, too."""
    with announcing() as change:
        session = Session.objects.select_for_update(no_key=True).get(pk=pk)
        services.forget_credentials(session)
        record(Action.SESSION_LOGGED_OUT, services.subject_of(session))
        _note(session, SessionEvent.Kind.LOGGED_OUT, "", code="elsewhere")
        services.record_state(
            change, session, SessionState.LOGGED_OUT, code="another_program_logged_out"
        )
        Session.objects.filter(pk=pk).update(filed_name="", filed_token="")
        wake_workers()


def agree(pk: int, *, name: str, token_digest: str) -> None:
    """Remember that both sides hold this. "" for both: neither holds anything."""
    Session.objects.filter(pk=pk).update(filed_name=name, filed_token=token_digest)


def fail(pk: int, code: str, detail: str) -> None:
    """Set `failing`, because the folder's copy is unusable. The session is not polled meanwhile."""
    with announcing() as change:
        session = Session.objects.select_for_update(no_key=True).get(pk=pk)
        if code == "same_bot" and _names_another_team(session, detail):
            detail = ""
        state = SessionState(session.state)
        if state not in SENDING_STATES or (session.error_code, session.error_detail) == (
            code, detail[:400],
        ):  # fmt: skip
            return
        if state is not SessionState.PAUSED:
            state = SessionState.FAILING
        services.record_state(change, session, state, code=code, detail=detail)
        wake_workers()


def _names_another_team(session: Session, detail: str) -> bool:
    others = Session.objects.filter(deleted_at=None).exclude(team=session.team_id)
    return any(f"“{name}”" in detail for name in others.values_list("name", flat=True))


def recover(pks: Iterable[int]) -> None:
    """Reset `failing` of sessions whose folder copy is usable again."""
    for pk in pks:
        with announcing() as change:
            session = Session.objects.select_for_update(no_key=True).get(pk=pk)
            if session.error_code in FOLDER_CODES:
                failing = session.state == SessionState.FAILING
                state = SessionState.CONNECTING if failing else SessionState(session.state)
                services.record_state(change, session, state)
                wake_workers()


def failed_by_folder() -> dict[int, str]:
    """Session id → error code of sessions that are failing because of their folder."""
    rows = Session.objects.filter(error_code__in=FOLDER_CODES, deleted_at=None)
    return dict(rows.values_list("pk", "error_code"))


def _note(session: Session, kind: SessionEvent.Kind, detail: str, code: str = "elsewhere") -> None:
    SessionEvent.objects.create(session=session, kind=kind, code=code, detail=detail[:400])


def take_cursors(cursors: Iterable[tuple[RowState, str]]) -> None:
    """Read the cursors into the rows, just after taking the poll lock."""
    for row, cursor in cursors:
        if row.cursor != cursor:
            Session.objects.filter(pk=row.pk, generation=row.generation).update(cursor=cursor)


def held_by_stopped() -> None:
    """Set `failing` on all sessions, because the program that holds the poll lock is stopped."""
    states = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
    rows = Session.objects.filter(state__in=states).exclude(
        error_code__in=(*FOLDER_CODES, HOLDER_STOPPED)
    )
    for pk in list(rows.exclude(encrypted_token="").values_list("pk", flat=True)):
        with announcing() as change:
            session = rows.select_for_update(no_key=True).filter(pk=pk).first()
            if session is not None:
                services.record_state(change, session, SessionState.FAILING, code=HOLDER_STOPPED)


def polled_elsewhere(elsewhere: bool) -> None:
    """Set or reset `polled_elsewhere` on all sessions that should be polled."""
    if elsewhere:
        rows = Session.objects.filter(state__in=POLLED_STATES).exclude(error_code__in=FOLDER_CODES)
        state = SessionState.POLLED_ELSEWHERE
    else:
        rows = Session.objects.filter(state=SessionState.POLLED_ELSEWHERE)
        state = SessionState.CONNECTING
    for pk in list(rows.exclude(encrypted_token="").values_list("pk", flat=True)):
        with announcing() as change:
            session = rows.select_for_update(no_key=True).filter(pk=pk).first()
            if session is not None:
                session.errors_in_row, session.next_poll_at, session.failed_at = 0, None, None
                session.save(update_fields=["errors_in_row", "next_poll_at", "failed_at"])
                services.record_state(change, session, state)


def default_name() -> str:
    """The folder's name of the default session, or "" if it is not in the folder."""
    row = Session.objects.filter(is_default=True, deleted_at=None)
    return row.values_list("filed_name", flat=True).first() or ""


def follow_default(name: str) -> bool:
    """Another program chose a default. A default that is logged out here is not changed."""
    chosen = Session.objects.filter(filed_name=name, deleted_at=None).first()
    current = Session.objects.filter(is_default=True, deleted_at=None).first()
    if chosen is None or (current is not None and not current.filed_name):
        return False
    if not chosen.is_default:
        services.set_default(session=chosen, user=None)
    return True


def stored_token(pk: int, token: str) -> StoredToken | None:
    """The row as token.json, or None if it has another token by now."""
    session = Session.objects.get(pk=pk)
    try:
        if session.token != token:
            return None
    except DecryptionError:
        return None
    return StoredToken(
        bot_id=session.bot_id,
        base_url=session.base_url,
        token=token,
        user_id=session.owner_id,
        cursor=session.cursor,
        created_at_s=session.bound_at.timestamp() if session.bound_at else 0.0,
    )


def take_free_name(pk: int, is_free: Callable[[str], bool]) -> str:
    """Append a number to the row's name, because the folder's is taken. Returns the new name."""
    with announcing() as change:
        session = Session.objects.get(pk=pk)
        services.lock_to_rename(session)
        before, name = session.name, attempts.name_still_free(session.name, is_free=is_free)
        services.give_name(change, session, name)
        _note(session, SessionEvent.Kind.RENAMED, f"{before} → {name}")
    return name
