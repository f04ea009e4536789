"""`/logins`: QR logins. The worker talks to WeChat; these calls only read and write rows."""

import unicodedata
from collections.abc import Callable
from typing import Annotated

from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Status

from messaging.api.auth import ApiRequest, Caller, allowed
from messaging.api.endpoints.sessions import unknown_session
from messaging.api.endpoints.waiting import Wait, in_thread, look_until
from messaging.api.errors import ERRORS, ApiError, from_name
from messaging.api.schemas import LoginIn, LoginOut, ResolveIn, VerifyCodeIn
from sessions_app.board import queries
from sessions_app.login import attempts as logins
from sessions_app.login.qr_code import qr_svg
from sessions_app.models import LoginAttempt, Session, Team, User
from sessions_app.people.models import EVERYONE
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope
from sessions_app.sessions import names, services
from sessions_app.sessions.access import login_or_404, sessions_of
from sessions_app.sessions.names import SessionNameError

router = Router(tags=["logins"])

FIRST_CODE_S = 5.0
"""How long starting a login waits for WeChat to make the QR code."""

LoginId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]
Seen = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="The version you know.")]


def login_out(attempt: LoginAttempt) -> LoginOut:
    shown = not attempt.is_final
    return LoginOut(
        id=attempt.pk,
        session=attempt.session_name,
        status=attempt.status,
        version=attempt.version,
        qr_url=(attempt.qr_url or None) if shown else None,
        qr_svg=(qr_svg(attempt) or None) if shown else None,
        expires_at=attempt.expires_at if shown else None,
    )


def _login(caller: Caller, login_id: str) -> LoginAttempt:
    return login_or_404(caller.check(Scope.SESSIONS, Capability.MANAGE_SESSIONS), login_id)


async def _watch(
    caller: Caller, login_id: str, *, until: Callable[[LoginAttempt], bool], timeout_s: float
) -> LoginOut:
    found = await look_until(
        lambda one: _login(one, login_id),
        until,
        caller=caller,
        streams=lambda: [f"team:{_login(caller, login_id).team_id}"],
        timeout_s=timeout_s,
    )
    return login_out(found)


@router.post("/logins", response={201: LoginOut, **ERRORS}, summary="Ask for a QR code")
async def start(request: ApiRequest, body: LoginIn) -> Status[LoginOut]:
    """Waits up to 5 s for the QR code. If its fields are null, GET brings them later.

    Without a name the default session is logged in. 409 `already_connected` unless `force`.
    """
    caller = request.auth
    attempt_id = await in_thread(lambda: _start(caller, body))
    shown = await _watch(
        caller,
        attempt_id,
        until=lambda one: bool(one.qr_url) or one.is_final,
        timeout_s=FIRST_CODE_S,
    )
    return Status(201, shown)


def _start(caller: Caller, body: LoginIn) -> str:
    user = caller.check(Scope.SESSIONS, Capability.MANAGE_SESSIONS)
    name, session = _wanted(user, body.name)
    try:
        attempt = logins.start_login(
            user=user,
            session_name=name,
            team=session.team if session else _team_for_new(user),
            session=session,
            force=body.force,
        )
    except SessionNameError as problem:
        raise from_name(problem, "name") from None
    except logins.AlreadyConnected:
        words = _("“%(name)s” is already connected.") % {"name": name}
        raise ApiError(409, "already_connected", words) from None
    return str(attempt.pk)


def _wanted(user: User, name: str | None) -> tuple[str, Session | None]:
    """The name and session to log in; no session if it is new. Without a name: the default."""
    if name is not None:
        clean = unicodedata.normalize("NFC", name)
        return clean, sessions_of(user).filter(name=clean).select_related("team").first()
    default = queries.default_session(user)
    if default is None and Session.objects.filter(is_default=True).exists():
        raise unknown_session()  # the default is another team's: do not tell its name
    return (default.name, default) if default else (names.DEFAULT, None)


def _team_for_new(user: User) -> Team:
    """The team for a new session: "Everyone" if the caller is in it, else the first by name."""
    mine = list(queries.teams_for_new_session(user).order_by("name"))
    if not mine:
        raise ApiError(403, "forbidden", "You are in no team that could have a session.")
    return next((team for team in mine if team.name == EVERYONE), mine[0])


@router.get("/logins/{login_id}", response={200: LoginOut, **ERRORS}, summary="How a login stands")
async def watch(
    request: ApiRequest, login_id: LoginId, wait: Wait = 0, seen: Seen = None
) -> LoginOut:
    """Answers at once if the version is not `seen` or the status is final; else waits."""
    return await _watch(
        request.auth,
        login_id,
        until=lambda one: one.is_final or one.version != seen,
        timeout_s=wait,
    )


@router.post(
    "/logins/{login_id}/verify-code", response={200: LoginOut, **ERRORS}, summary="Give the digits"
)
def verify_code(request: ApiRequest, login_id: LoginId, body: VerifyCodeIn) -> LoginOut:
    """The digits that the phone shows. 409 `no_code_wanted` when WeChat asks for none."""
    attempt = _login(request.auth, login_id)
    try:
        logins.give_verify_code(attempt=attempt, code=body.code)
    except ValueError as problem:
        raise ApiError(422, "invalid", str(problem), field="code") from None
    except logins.VerifyCodeNotWanted:
        words = "This login does not ask for digits now."
        raise ApiError(409, "no_code_wanted", words) from None
    return login_out(_login(request.auth, login_id))


@router.post(
    "/logins/{login_id}/resolve",
    response={200: LoginOut, **ERRORS},
    summary="After other_account: replace the old account, or make a new session",
)
def resolve(request: ApiRequest, login_id: LoginId, body: ResolveIn) -> LoginOut:
    """`as: "new"` without a name uses the session's name with a number."""
    user = allowed(request, Scope.SESSIONS, Capability.MANAGE_SESSIONS)
    attempt = _login(request.auth, login_id)
    try:
        logins.resolve_other_account(
            attempt=attempt,
            replace=body.as_ == "replace",
            new_name=_new_name(attempt, body),
            user=user,
        )
    except SessionNameError as problem:
        raise from_name(problem, "name") from None
    except logins.VerifyCodeNotWanted:
        words = "This login waits for no decision."
        raise ApiError(409, "nothing_to_resolve", words) from None
    return login_out(_login(request.auth, login_id))


def _new_name(attempt: LoginAttempt, body: ResolveIn) -> str:
    if body.as_ == "replace":
        return ""
    if body.name is None:
        return logins.name_still_free(attempt.session_name)
    return services.free_name(body.name, team_id=attempt.team_id)


@router.delete("/logins/{login_id}", response={200: LoginOut, **ERRORS}, summary="Cancel a login")
def cancel(request: ApiRequest, login_id: LoginId) -> LoginOut:
    """Cancels the login for everyone who watches it. A login that has ended is not changed."""
    user = allowed(request, Scope.SESSIONS, Capability.MANAGE_SESSIONS)
    logins.cancel_login(attempt=_login(request.auth, login_id), user=user)
    return login_out(_login(request.auth, login_id))
