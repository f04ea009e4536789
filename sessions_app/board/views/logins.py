"""The QR dialog. It shows one login attempt, which any number of browsers may watch.

The worker drives the attempt.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from sessions_app.board.pages import changes_page, login_card, refused, scan_question
from sessions_app.login import attempts as logins
from sessions_app.models import LoginAttempt, User
from sessions_app.pages.answers import UNPROCESSABLE, is_htmx, posted
from sessions_app.realtime.page_numbers import pin_numbers
from sessions_app.sessions import reasons, services
from sessions_app.sessions.access import login_or_404
from sessions_app.sessions.names import SessionNameError


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


@posted("sessions:login")
def digits(request: HttpRequest, login_id: str) -> HttpResponse:
    attempt = login_or_404(request.user, login_id)
    try:
        logins.give_verify_code(attempt=attempt, code=request.POST.get("code", ""))
    except ValueError as problem:
        return _form_error(request, attempt, "digits_error", str(problem))
    except logins.VerifyCodeNotWanted:
        pass  # the attempt has moved on: the answer shows its state
    return _current_state(request, attempt)


@posted("sessions:login")
def resolve(request: HttpRequest, login_id: str) -> HttpResponse:
    """Decide about a scan by another WeChat account: replace the old one or create a session."""
    attempt = login_or_404(request.user, login_id)
    replace = request.POST.get("as") == "replace"
    try:
        given = request.POST.get("name", "")
        name = "" if replace else services.free_name(given, team_id=attempt.team_id)
        logins.resolve_other_account(
            attempt=attempt, replace=replace, new_name=name, user=_actor(request)
        )
    except SessionNameError as problem:
        return _form_error(request, attempt, "resolve_error", reasons.name_problem(problem))
    except logins.VerifyCodeNotWanted:
        pass
    return _current_state(request, attempt)


@posted("sessions:login")
def again(request: HttpRequest, login_id: str) -> HttpResponse:
    """Request a new QR code: in the same attempt while it runs, else in a new one."""
    old = login_or_404(request.user, login_id)
    if logins.ask_new_code(attempt=old):
        return _current_state(request, old)
    if old.session is not None and old.session.may_send:
        if _is_its_page(request, old):
            return _htmx_redirect(reverse("sessions:scan", args=[old.session.name]))
        return scan_question(request, old.session, status=UNPROCESSABLE)
    try:
        attempt = logins.start_login(
            user=_actor(request), session_name=old.session_name, team=old.team, session=old.session
        )
    except SessionNameError:
        words = _("“%(name)s” is connected now.") % {"name": old.session_name}
        return refused(request, words)
    if _is_its_page(request, old):
        return _htmx_redirect(reverse("sessions:login", args=[attempt.pk]))
    return login_card(request, attempt) if is_htmx(request) else _redirect_to_login(attempt)


def _is_its_page(request: HttpRequest, attempt: LoginAttempt) -> bool:
    """Whether the request comes from this login's own page, whose URL must then change."""
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return is_htmx(request) and here == reverse("sessions:login", args=[attempt.pk])


def _htmx_redirect(address: str) -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": address})


@posted("sessions:login")
def cancel(request: HttpRequest, login_id: str) -> HttpResponse:
    """Cancel the attempt for all browsers. Closing the dialog does not cancel it."""
    attempt = login_or_404(request.user, login_id)
    logins.cancel_login(attempt=attempt, user=_actor(request))
    return changes_page(request) if is_htmx(request) else redirect("sessions:board")


def _current_state(request: HttpRequest, attempt: LoginAttempt) -> HttpResponse:
    return changes_page(request) if is_htmx(request) else _redirect_to_login(attempt)


def _redirect_to_login(attempt: LoginAttempt) -> HttpResponse:
    return redirect("sessions:login", attempt.pk)


def _form_error(
    request: HttpRequest, attempt: LoginAttempt, field: str, words: str
) -> HttpResponse:
    if is_htmx(request):
        return HttpResponse(escape(words), status=UNPROCESSABLE)
    if field == "digits_error":
        return login_card(request, attempt, status=UNPROCESSABLE, digits_error=words)
    return login_card(request, attempt, status=UNPROCESSABLE, resolve_error=words)
