"""`/sessions`: list sessions and change them. The changes are those of the board."""

import unicodedata
from typing import Annotated

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Path, Router

from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS, ApiError, from_name
from messaging.api.paging import Cursor, Limit, pack, split, unpack
from messaging.api.schemas import RenameIn, SessionOut, SessionsOut
from sessions_app.board import queries
from sessions_app.models import Session, User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.sessions import held_replies, reasons, services
from sessions_app.sessions.access import may_move_default, session_or_404
from sessions_app.sessions.health import health_of
from sessions_app.sessions.names import SessionNameError

router = Router(tags=["sessions"])

SessionName = Annotated[str, Path(description="The session's name, percent-encoded.")]


def session_out(session: Session) -> SessionOut:
    """As the board shows it: a session not heard of for 90 s is `failing` and says why."""
    now = timezone.now()
    found = health_of(session, now=now)
    trouble = reasons.sentence(found.code, found.detail) or held_replies.notice(session, now=now)
    return SessionOut(
        name=session.name,
        bot_id=session.bot_id or None,
        user_id=session.owner_id or None,
        state=found.state,
        is_default=session.is_default,
        created_at=session.created_at,
        last_poll_at=session.last_poll_at,
        last_message_at=session.last_message_at,
        last_error=trouble or None,
    )


def session_named(user: User, name: str) -> Session:
    """One of the user's sessions, by its exact name. Raises ApiError 404."""
    wanted = unicodedata.normalize("NFC", name)
    try:
        return session_or_404(user, wanted)
    except Http404:
        raise unknown_session() from None


def unknown_session() -> ApiError:
    return ApiError(404, "unknown_session", _("There is no account with this name."))


def _managed(request: ApiRequest, name: str) -> tuple[User, Session]:
    user = allowed(request, Scope.SESSIONS, Capability.MANAGE_SESSIONS)
    return user, session_named(user, name)


def _reloaded(session: Session) -> SessionOut:
    session.refresh_from_db()
    return session_out(session)


@router.get("/sessions", response={200: SessionsOut, **ERRORS}, summary="Sessions by name")
def list_sessions(request: ApiRequest, limit: Limit = 50, cursor: Cursor = "") -> SessionsOut:
    """`last_error` is a sentence; `state` says what the session does now."""
    user = allowed(request, Scope.READ, Capability.SEE_BOARD)
    after = unpack(cursor).replace("\0", "")
    rows = queries.session_page(user, after=after, limit=limit + 1)
    page, last = split(rows, limit)
    return SessionsOut(
        items=[session_out(one) for one in page], next=pack(last.name_key) if last else None
    )


@router.post(
    "/sessions/{name}/rename", response={200: SessionOut, **ERRORS}, summary="Give another name"
)
def rename(request: ApiRequest, name: SessionName, body: RenameIn) -> SessionOut:
    """Credentials, history and polling stay. 409 if the name is in use, 422 if it is bad."""
    user, session = _managed(request, name)
    try:
        services.rename_session(session=session, new_name=body.new_name, user=user)
    except SessionNameError as problem:
        raise from_name(problem, "new_name") from None
    return _reloaded(session)


@router.post("/sessions/{name}/logout", response={200: SessionOut, **ERRORS}, summary="Log out")
def logout(request: ApiRequest, name: SessionName) -> SessionOut:
    """Deletes credentials and context tokens; messages are kept."""
    user, session = _managed(request, name)
    services.log_out(session=session, user=user)
    return _reloaded(session)


@router.post(
    "/sessions/{name}/default", response={200: SessionOut, **ERRORS}, summary="Make it the default"
)
def default(request: ApiRequest, name: SessionName) -> SessionOut:
    """403 `forbidden` while a session of another team is the default."""
    user, session = _managed(request, name)
    if not may_move_default(user):
        raise PermissionDenied
    services.set_default(session=session, user=user)
    return _reloaded(session)


@router.post("/sessions/{name}/pause", response={200: SessionOut, **ERRORS}, summary="Stop polling")
def pause(request: ApiRequest, name: SessionName) -> SessionOut:
    """Replies still go out. 409 `not_connected` for a session without credentials."""
    return _set_paused(request, name, paused=True)


@router.post("/sessions/{name}/resume", response={200: SessionOut, **ERRORS}, summary="Poll again")
def resume(request: ApiRequest, name: SessionName) -> SessionOut:
    return _set_paused(request, name, paused=False)


def _set_paused(request: ApiRequest, name: str, *, paused: bool) -> SessionOut:
    user, session = _managed(request, name)
    try:
        services.set_paused(session=session, paused=paused, user=user)
    except services.SessionNotBound:
        words = _("“%(name)s” must be scanned first.") % {"name": session.name}
        raise ApiError(409, "not_connected", words) from None
    return _reloaded(session)
