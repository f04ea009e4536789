"""All error answers: `{"error": {"code", "message", "field"?, "offer"?}}`.

ApiError          a status, a code, a sentence
├── NotAvailable  501: the call exists, but a later version brings what it needs
└── the handlers below turn the errors of other rooms into an ApiError
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel, WithJsonSchema

from messaging.api.codes import CODES, EVERY_CODE, code_for
from messaging.conversations.errors import FileProblem, ReplyError
from sessions_app.database.troubles import trouble_of
from sessions_app.sessions import reasons
from sessions_app.sessions.names import SessionNameError, SessionNameTaken

logger = logging.getLogger(__name__)

REPLY_STATUS = {
    "empty": (422, "text"),
    "text_too_long": (422, "text"),
    "unknown_message": (422, "reply_to"),
    "unknown_session": (404, "session"),
}


class ErrorBody(BaseModel):
    """`field`: the part of the call that is wrong. `offer`: sessions that could send instead."""

    code: Annotated[str, WithJsonSchema({"type": "string", "enum": EVERY_CODE})]
    message: str
    field: str | None = None
    offer: list[str] | None = None


class ErrorOut(BaseModel):
    error: ErrorBody


ERRORS: dict[Any, Any] = {frozenset(CODES): ErrorOut}
"""For the schema: errors that any call may answer with."""

RETRY_AFTER = {"Retry-After": "5"}
"""How long, in seconds, a client should wait when the console is in trouble."""


class ApiError(Exception):
    """An error answer of the API."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str = "",
        offer: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.offer = offer
        self.headers = dict(headers or {})


class NotAvailable(ApiError):  # noqa: N818 - a statement
    """For fields that the database cannot store yet."""

    def __init__(self, what: str, *, field: str = "") -> None:
        super().__init__(501, "not_available", f"{what}: not in this version yet.", field=field)


def error_body(
    code: str, message: str, *, field: str = "", offer: Sequence[str] | None = None
) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if field:
        error["field"] = field
    if offer is not None:
        error["offer"] = list(offer)
    return {"error": error}


def refuse(problem: ApiError) -> HttpResponse:
    body = error_body(problem.code, problem.message, field=problem.field, offer=problem.offer)
    return JsonResponse(body, status=problem.status, headers=problem.headers)


def from_reply(problem: ReplyError) -> ApiError:
    """409 unless the post itself is wrong. `offer` names sessions that could send instead."""
    status, field = REPLY_STATUS.get(problem.code, (409, ""))
    if isinstance(problem, FileProblem):
        status, field = 422, "attachments"
    offer = problem.offer if status == 409 else None
    return ApiError(status, problem.code, problem.message, field=field, offer=offer)


def from_name(problem: SessionNameError, field: str) -> ApiError:
    status = 409 if isinstance(problem, SessionNameTaken) else 422
    return ApiError(status, problem.code, reasons.name_problem(problem), field=field)


def _invalid(problem: ValidationError) -> ApiError:
    """The first error that the schema found. It does not repeat what was sent."""
    first = problem.errors[0]
    names = [str(part) for part in first.get("loc", ()) if isinstance(part, str)]
    field = names[-1] if len(names) > 1 and names[-1] != "body" else ""
    words = str(first.get("msg", "not as the schema wants it"))
    return ApiError(422, "invalid", f"{field}: {words}" if field else words, field=field)


def install(api: NinjaAPI) -> None:
    """Add a handler for each kind of error. Anything else is a bug: it is logged and not shown."""

    @api.exception_handler(ApiError)
    def api_error(request: HttpRequest, problem: ApiError) -> HttpResponse:
        return refuse(problem)

    @api.exception_handler(ReplyError)
    def reply_error(request: HttpRequest, problem: ReplyError) -> HttpResponse:
        return refuse(from_reply(problem))

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, problem: ValidationError) -> HttpResponse:
        return refuse(_invalid(problem))

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, problem: Http404) -> HttpResponse:
        return refuse(ApiError(404, "not_found", "There is nothing here, or it is not yours."))

    @api.exception_handler(PermissionDenied)
    def denied(request: HttpRequest, problem: PermissionDenied) -> HttpResponse:
        return refuse(ApiError(403, "forbidden", "Your role does not allow this."))

    @api.exception_handler(AuthenticationError)
    def stranger(request: HttpRequest, problem: AuthenticationError) -> HttpResponse:
        return refuse(unauthorized())

    @api.exception_handler(HttpError)
    def http_error(request: HttpRequest, problem: HttpError) -> HttpResponse:
        status = problem.status_code
        return refuse(ApiError(status, code_for(status), problem.message))

    @api.exception_handler(RequestDataTooBig)
    def too_large(request: HttpRequest, problem: RequestDataTooBig) -> HttpResponse:
        return refuse(ApiError(413, "too_large", "This request is too large."))

    @api.exception_handler(SuspiciousOperation)
    @api.exception_handler(UnreadablePostError)
    def unreadable(request: HttpRequest, problem: Exception) -> HttpResponse:
        return refuse(ApiError(400, "bad_request", "This request cannot be read."))

    @api.exception_handler(Exception)
    def broken(request: HttpRequest, problem: Exception) -> HttpResponse:
        if may_pass(problem):
            logger.warning(
                "%s %s: temporarily unavailable", request.method, _route(request), exc_info=problem
            )
            words = "The console is busy or its database does not answer. Try again."
            answer = refuse(ApiError(503, "unavailable", words, headers=RETRY_AFTER))
            answer._has_been_logged = True  # type: ignore[attr-defined]  # Django's own flag
            return answer
        logger.error("%s %s failed", request.method, _route(request), exc_info=problem)
        return refuse(ApiError(500, "server_error", "Something broke here; the log says what."))


def _route(request: HttpRequest) -> str:
    """For the log: the address itself may hold a name."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "/api/v1/…"


def may_pass(problem: BaseException | None) -> bool:
    """True if database, Redis or disk are busy or away, which passes without a fix of ours."""
    if problem is None:
        return False
    trouble = trouble_of(problem)
    if trouble is not None:
        return trouble.may_pass
    return isinstance(problem, OperationalError | InterfaceError)


def unauthorized(words: str = "Send a living token: Authorization: Bearer wlk_…") -> ApiError:
    return ApiError(401, "unauthorized", words, headers={"WWW-Authenticate": "Bearer"})
