"""The QR dialog: one attempt, watched by any number of browsers. The worker drives it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sessions_app import login as logins
from sessions_app import reasons, services
from sessions_app.access import login_or_404
from sessions_app.live import pin_numbers
from sessions_app.models import LoginAttempt, User
from sessions_app.names import SessionNameError
from sessions_app.pages import (
    UNPROCESSABLE,
    changes_page,
    is_htmx,
    login_card,
    refused,
    scan_question,
)


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_GET
def login(request: HttpRequest, login_id: str) -> HttpResponse:
    pin_numbers(request)
    attempt = login_or_404(request.user, login_id)
    if attempt.status == "confirmed" and not is_htmx(request):
        return redirect("sessions:board")
    return login_card(request, attempt)


@require_POST
def digits(request: HttpRequest, login_id: str) -> HttpResponse:
    attempt = login_or_404(request.user, login_id)
    try:
        logins.give_verify_code(attempt=attempt, code=request.POST.get("code", ""))
    except ValueError as problem:
        return _wrong(request, attempt, "digits_error", str(problem))
    except logins.VerifyCodeNotWanted:
        pass  # the attempt went on meanwhile: the answer shows where it is
    return _here(request, attempt)


@require_POST
def resolve(request: HttpRequest, login_id: str) -> HttpResponse:
    """Another WeChat account was scanned: it replaces the old one, or becomes a new session."""
    attempt = login_or_404(request.user, login_id)
    replace = request.POST.get("as") == "replace"
    try:
        name = "" if replace else services.free_name(request.POST.get("name", ""))
        logins.resolve_other_account(
            attempt=attempt, replace=replace, new_name=name, user=_actor(request)
        )
    except SessionNameError as problem:
        return _wrong(request, attempt, "resolve_error", reasons.name_problem(problem))
    except logins.VerifyCodeNotWanted:
        pass
    return _here(request, attempt)


@require_POST
def again(request: HttpRequest, login_id: str) -> HttpResponse:
    """The same session, a new attempt: after one that ended without a scan."""
    old = login_or_404(request.user, login_id)
    if old.session is not None and old.session.may_send:
        return scan_question(request, old.session, status=UNPROCESSABLE)
    try:
        attempt = logins.start_login(
            user=_actor(request), session_name=old.session_name, team=old.team, session=old.session
        )
    except SessionNameError:
        words = _("“%(name)s” is connected by now.") % {"name": old.session_name}
        return refused(request, words)
    return login_card(request, attempt) if is_htmx(request) else _page(attempt)


@require_POST
def cancel(request: HttpRequest, login_id: str) -> HttpResponse:
    """Ends it for everybody who watches; merely closing the dialog does not."""
    attempt = login_or_404(request.user, login_id)
    logins.cancel_login(attempt=attempt, user=_actor(request))
    return changes_page(request) if is_htmx(request) else redirect("sessions:board")


def _here(request: HttpRequest, attempt: LoginAttempt) -> HttpResponse:
    return changes_page(request) if is_htmx(request) else _page(attempt)


def _page(attempt: LoginAttempt) -> HttpResponse:
    return redirect("sessions:login", attempt.pk)


def _wrong(request: HttpRequest, attempt: LoginAttempt, field: str, words: str) -> HttpResponse:
    if is_htmx(request):
        return HttpResponse(escape(words), status=UNPROCESSABLE)
    if field == "digits_error":
        return login_card(request, attempt, status=UNPROCESSABLE, digits_error=words)
    return login_card(request, attempt, status=UNPROCESSABLE, resolve_error=words)
