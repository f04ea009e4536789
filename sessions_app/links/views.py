"""The public page of a scan link: the QR code and its state, or one sentence why there is none.

It knows no user, opens no websocket, is never cached and cannot be framed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from sessions_app.links import scan_links
from sessions_app.links.scan_links import DeadLink, Why
from sessions_app.login import attempts
from sessions_app.login.panel import LoginPanel, login_panel
from sessions_app.models import LoginAttempt, LoginState, ScanLink
from sessions_app.pages.answers import NO_SCRIPT_REFRESH_S, UNPROCESSABLE
from sessions_app.team_settings.introductions import introduction_of

NOT_FOUND, GONE = 404, 410
# Higher than every version of a live page, so that a dead page is never replaced.
LAST_VERSION = 9_000_000_000_000_000

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """Require no login, and forbid caching and indexing. The browser names the address nowhere.

    Not `no-referrer`: forms would then come without an origin and be refused.
    """

    @wraps(view)
    def shown(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "strict-origin"
        return response

    open_view: View = login_not_required(never_cache(shown))
    return open_view


def _sentence(why: Why) -> str:
    match why:
        case Why.USED:
            return _("This link has been used. You can close this page.")
        case Why.REVOKED:
            return _("This link was revoked by the people who created it.")
        case Why.EXPIRED:
            return _("This link has expired. Ask for a new one.")
    return _("This link is not complete. Copy it once more, or ask for a new one.")


def _dead(request: HttpRequest, why: Why, template: str, *, status: int = 0) -> HttpResponse:
    context = {"sentence": _sentence(why), "version": LAST_VERSION, "is_used": why is Why.USED}
    status = status or (NOT_FOUND if why is Why.UNKNOWN else GONE)
    return render(request, template, context, status=status)


@public
@require_GET
def scan(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page and request a QR code.

    Its own reload without JavaScript (`?watch`) does not request one.
    """
    try:
        link = scan_links.find_link(token)
        watching = "watch" in request.GET
        attempt = scan_links.attempt_of(link) if watching else scan_links.open_link(link)
    except DeadLink as dead:
        return _dead(request, dead.why, "links/scan.html")
    return render(request, "links/scan.html", _page_context(link, attempt, token))


@public
@require_GET
def state(request: HttpRequest, token: str) -> HttpResponse:
    """The fragment that the page polls. If the link died meanwhile, this is its last update."""
    try:
        link = scan_links.find_link(token)
    except DeadLink as dead:
        status = NOT_FOUND if dead.why is Why.UNKNOWN else 200
        return _dead(request, dead.why, "links/scan_state.html", status=status)
    return render(
        request, "links/scan_state.html", _context(link, scan_links.attempt_of(link), token)
    )


@public
@require_POST
def digits(request: HttpRequest, token: str) -> HttpResponse:
    try:
        link = scan_links.find_link(token)
    except DeadLink as dead:
        return _dead(request, dead.why, "links/scan.html")
    attempt = scan_links.attempt_of(link)
    try:
        if attempt is not None:
            attempts.give_verify_code(attempt=attempt, code=request.POST.get("code", ""))
    except ValueError as problem:
        context = {**_page_context(link, attempt, token), "digits_error": str(problem)}
        return render(request, "links/scan.html", context, status=UNPROCESSABLE)
    except attempts.VerifyCodeNotWanted:
        pass  # the login has moved on: the page shows its state
    return _watch(token)


@public
@require_POST
def again(request: HttpRequest, token: str) -> HttpResponse:
    """Request a new QR code, even if the last one can still be scanned."""
    try:
        scan_links.ask_new_code(scan_links.find_link(token))
    except DeadLink as dead:
        return _dead(request, dead.why, "links/scan.html")
    return _watch(token)


def _watch(token: str) -> HttpResponse:
    response = redirect("public:scan", token)
    response["Location"] += "?watch"
    return response


def _context(link: ScanLink, attempt: LoginAttempt | None, token: str) -> dict[str, Any]:
    context: dict[str, Any] = {
        "alive": True,
        "page_url": reverse("public:scan", args=[token]),
        "heading": _("Scan with the WeChat account of “%(name)s”") % {"name": link.session_name},
    }
    return {**context, **attempt_context(attempt)}


def _page_context(link: ScanLink, attempt: LoginAttempt | None, token: str) -> dict[str, Any]:
    """The whole page also introduces the team; the fragment leaves that alone."""
    return {**_context(link, attempt, token), "inviter": introduction_of(link.team)}


def attempt_context(attempt: LoginAttempt | None) -> dict[str, Any]:
    """Template context for one attempt on a public page."""
    context: dict[str, Any] = {"refresh_s": NO_SCRIPT_REFRESH_S}
    if attempt is None:
        return {**context, "sentence": _("Try again in a minute."), "may_start_again": True}
    panel = login_panel(attempt)
    # A page must not reload itself while somebody types, nor after the login is over.
    if attempt.is_final or panel.asks:
        context["refresh_s"] = 0
    context["version"] = int(attempt.created_at.timestamp()) * 1_000 + attempt.version
    context["may_start_again"] = attempt.is_final or bool(attempt.qr_url)
    # Allow only https addresses, which WeChat's apps open: others, such as javascript:, could run a
    # script.
    context["open_url"] = attempt.qr_url if attempt.qr_url.startswith("https://") else ""
    return {**context, "attempt": attempt, "panel": panel, "sentence": _in_public(panel)}


def uninvited_words() -> str:
    """WeChat has connected the account already; whether it is received is for others to decide."""
    return _(
        "The invitation ended while you were connecting. Nothing that you write is read here, "
        "unless the people who invited you admit your account."
    )


def _in_public(panel: LoginPanel) -> str:
    """The dialog's sentence, without details that are only for the people who run the console."""
    match LoginState(panel.attempt.status):
        case LoginState.FAILED:
            return _("That did not work. Try again in a minute.")
        case LoginState.OTHER_ACCOUNT if panel.attempt.error_code == attempts.UNINVITED:
            return uninvited_words()
        case LoginState.OTHER_ACCOUNT:
            return _(
                "This is not the same WeChat account as before. Tell the person who sent you "
                "the link."
            )
        case LoginState.EXPIRED:
            return _("Nobody scanned in time.")
        case LoginState.CONFIRMED:
            return _("Connected. You can close this page.")
    return panel.sentence
