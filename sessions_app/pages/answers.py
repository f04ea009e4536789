"""Responses that are a fragment for htmx and a whole page otherwise."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.middleware import HtmxDetails

UNPROCESSABLE = 422
NO_SCRIPT_REFRESH_S = 3
"""How often, in seconds, a waiting page reloads itself without JavaScript."""


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx requests a part of a page."""
    return bool(HtmxDetails(request))


View = Callable[..., HttpResponse]


def posted(page: str, *, of_the_same: bool = True) -> Callable[[View], View]:
    """Decorates a view that accepts only POST. GET redirects to `page`, where the action belongs.

    `of_the_same`: `page` takes the same arguments, as it is of the same session or login.
    """

    def decorate(view: View) -> View:
        post = require_POST(view)

        @wraps(view)
        def wrapped(request: HttpRequest, **names: Any) -> HttpResponse:
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(reverse(page, kwargs=names if of_the_same else None))
            answer: HttpResponse = post(request, **names)
            return answer

        return wrapped

    return decorate


def card(
    request: HttpRequest, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a fragment for a dialog, or a page that shows it as a card.

    On the page the forms work without htmx, so that every step has an address that can be reloaded.
    The page receives live changes like the board.
    """
    if is_htmx(request):
        return render(request, fragment, context, status=status)
    way_back = _came_from(request) or reverse("sessions:board")
    context = {"room": "sessions", "fragment": fragment, "way_back": way_back, **context}
    context["live_url"] = reverse("sessions:changes")
    return render(request, "parts/card_page.html", context, status=status)


def _came_from(request: HttpRequest) -> str:
    """The page of this console that led here, or "". Never the URL of a form."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    is_ours = referrer.netloc == request.get_host() and referrer.path.startswith("/")
    is_page = referrer.path.startswith(("/inbox/", "/sessions/"))
    is_itself = unquote(referrer.path) == request.path
    if not is_ours or not is_page or is_itself or "/-/" in referrer.path:
        return ""
    return referrer.path + (f"?{referrer.query}" if referrer.query else "")
