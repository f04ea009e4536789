"""The pages that explain why a request was refused or failed.

Signed-in users see them inside the console's frame, with the rail. Everybody else, and everybody
when the console itself is broken, sees the public frame, which needs neither database nor session.
"""

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from messaging.api.edge import PREFIX
from messaging.api.errors import error_body, may_pass
from sessions_app.people.models import User
from weilink_site.host.logs import address_of
from weilink_site.pages.refusals import REFUSAL, STALE, count_refusal

logger = logging.getLogger(__name__)

AGAIN_S = 5
HTML, PLAIN, JSON = "text/html", "text/plain", "application/json"


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of an error page. `code`: what the API returns instead.

    `opens_itself`: the browser asks again by itself, every `AGAIN_S` seconds.
    """

    icon: str
    title: str
    sentence: str
    code: str = "bad_request"
    opens_itself: bool = False


def words_of(status: int) -> Words:
    match status:
        case 403:
            return Words(
                "lock-keyhole",
                _("You don't have access to this page"),
                _("Your role or team does not include it. An administrator can change that."),
                "forbidden",
            )
        case 404:
            return Words(
                "search-x",
                _("Page not found"),
                _("The address is wrong, the page was deleted, or it belongs to another team."),
                "not_found",
            )
        case 413:
            return Words(
                "file-x",
                _("This is too large to send"),
                _("Nothing was saved. Choose a smaller file or a shorter text, then try again."),
                "too_large",
            )
        case 503:
            return Words(
                "hourglass",
                _("The console is not answering"),
                _("It is busy or being restarted. Try again in a minute."),
                "unavailable",
            )
        case 401 | 408 | 429:
            return _words_of_bounds(status)
        case status if status >= 500:
            return Words(
                "triangle-alert",
                _("Something went wrong in the console"),
                _("Messages from WeChat are safe. The reason is in the console's log."),
                "server_error",
            )
    return Words(
        "file-x",
        _("The console could not read this request"),
        _("The address or the form is damaged. Go back and try again."),
    )


def _words_of_bounds(status: int) -> Words:
    """Why `weilink_site.bounds` let a request not in."""
    match status:
        case 401:
            return Words(
                "lock-keyhole",
                _("You are not signed in"),
                _("Nothing was saved. Sign in, or send a valid token, then try again."),
                "unauthorized",
            )
        case 408:
            return Words(
                "hourglass",
                _("This took too long to arrive"),
                _("Nothing was saved. Check the connection, then try again."),
                "too_slow",
            )
    return Words(
        "hourglass",
        _("Too many requests at once"),
        _("Wait a few seconds, then try again."),
        "too_many_at_once",
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 404)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF token does not match: the login changed since, or cookies are blocked."""
    words = Words(
        "hourglass",
        _("This page is out of date"),
        _(
            "Nothing was saved: since the page was opened, somebody signed in or out in this "
            "browser. Open it again and repeat what you did. If that does not help, allow "
            "cookies for this address."
        ),
        "forbidden",
    )
    before = _page_before(request)
    typed = _typed(request) if before else ""
    response = error_page(request, 403, words, again=before or reverse("home"), typed=typed)
    response.headers[REFUSAL] = STALE
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Reads only the request's headers, because the database may be broken."""
    status = 503 if may_pass(sys.exc_info()[1]) else 500
    if request.path_info.startswith(PREFIX):  # `ApiEdgeMiddleware` writes the body
        return HttpResponse(status=status)
    with translation.override(_language(request)):
        words = _outage_words() if status == 503 else None
        page = standing_page(status, words, again=_address(request))
    response = HttpResponse(page, status=status)
    if status == 503:
        response.headers["Retry-After"] = str(AGAIN_S)
    return response


def _outage_words() -> Words:
    return Words(
        "hourglass",
        _("The console can't answer just now"),
        _(
            "Something that it needs, such as its database, does not answer. Messages from WeChat "
            "are kept. This page opens by itself as soon as it can."
        ),
        "unavailable",
        opens_itself=True,
    )


def error_page(
    request: HttpRequest,
    status: int,
    words: Words | None = None,
    *,
    again: str = "",
    typed: str = "",
) -> HttpResponse:
    """`again`: the URL of the page that the user may want to open again.

    `typed`: what the user wrote there, for copying.
    """
    with translation.override(_language(request)):
        words = words or words_of(status)
        context = {"words": words, "again": again, "typed": typed}
        page = _console_page(request, context) or _public_page(status, context)
    return HttpResponse(page, status=status)


def standing_page(status: int, words: Words | None = None, *, again: str = "") -> str:
    """A page in the public frame. Needs no request, so it can be rendered whatever is broken."""
    return _public_page(status, {"words": words or words_of(status), "again": again})


def _public_page(status: int, context: dict[str, Any]) -> str:
    framed = {**context, "is_broken": status >= 500, "again_s": AGAIN_S}
    return render_to_string("errors/public.html", framed)


def _console_page(request: HttpRequest, context: dict[str, Any]) -> str:
    """The page in the console's frame.

    "" for visitors, for htmx (which shows no error pages), and if rendering fails.
    """
    if request.headers.get("HX-Request") == "true":
        return ""
    try:
        if not isinstance(getattr(request, "user", None), User):
            return ""
        framed = {**context, "room": "error"}
        return render_to_string("errors/console.html", framed, request=request)
    except Exception:
        logger.exception("cannot render an error page in the console's frame")
        return ""


def _language(request: HttpRequest) -> str:
    """The reader's language if a middleware has set it, else the browser's."""
    known: str | None = getattr(request, "LANGUAGE_CODE", None)
    return known or translation.get_language_from_request(request)


def _address(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else ""


def _page_before(request: HttpRequest) -> str:
    """The URL of the page whose form was refused, or "" if it is not ours."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(before)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


_TYPED = ("text", "note", "name", "new", "q", "code")
"""Fields in which users write text. Never a password."""


def _typed(request: HttpRequest) -> str:
    """The text in the refused form, or "" if it cannot be read."""
    try:
        return "\n".join(filter(None, (request.POST.get(name, "") for name in _TYPED)))
    except (OSError, BadRequest, SuspiciousOperation):
        return ""


def answer_outside_django(status: int, path: str, headers: Mapping[str, str]) -> tuple[str, bytes]:
    """Content type and body for a refusal by the server itself, before Django sees a request.

    JSON for the API, a page for browsers, one sentence for everything else.
    """
    count_refusal(path, status)
    if status < 500:
        logger.warning("refused with %d: %s", status, address_of(path), extra={"status": status})
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get("accept-language", "")
    request.COOKIES = parse_cookie(headers.get("cookie", ""))
    with translation.override(translation.get_language_from_request(request)):
        words = words_of(status)
        if path.startswith(PREFIX):
            return JSON, json.dumps(error_body(words.code, words.sentence)).encode()
        if HTML in headers.get("accept", ""):
            return HTML, standing_page(status, words).encode()
        return PLAIN, f"{words.title}. {words.sentence}".encode()
