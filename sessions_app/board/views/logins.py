"""The QR dialog: one attempt, watched by any number of browsers. The worker drives it."""

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
from sessions_app.realtime.live import pin_numbers
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
        return _wrong(request, attempt, "digits_error", str(problem))
    except logins.VerifyCodeNotWanted:
        pass  # the attempt went on meanwhile: the answer shows where it is
    return _here(request, attempt)


@posted("sessions:login")
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


@posted("sessions:login")
def again(request: HttpRequest, login_id: str) -> HttpResponse:
    """A new code: in the same attempt while it runs, else in a new one for the same session."""
    old = login_or_404(request.user, login_id)
    if logins.ask_new_code(attempt=old):
        return _here(request, old)
    if old.session is not None and old.session.may_send:
        if _is_its_page(request, old):
            return _go(reverse("sessions:scan", args=[old.session.name]))
        return scan_question(request, old.session, status=UNPROCESSABLE)
    try:
        attempt = logins.start_login(
            user=_actor(request), session_name=old.session_name, team=old.team, session=old.session
        )
    except SessionNameError:
        words = _("“%(name)s” is connected now.") % {"name": old.session_name}
        return refused(request, words)
    if _is_its_page(request, old):
        return _go(reverse("sessions:login", args=[attempt.pk]))
    return login_card(request, attempt) if is_htmx(request) else _page(attempt)


def _is_its_page(request: HttpRequest, attempt: LoginAttempt) -> bool:
    """Asked by the page of this login, whose address must follow to the next one."""
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return is_htmx(request) and here == reverse("sessions:login", args=[attempt.pk])


def _go(address: str) -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": address})


@posted("sessions:login")
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
