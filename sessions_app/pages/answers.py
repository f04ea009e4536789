"""How an answer reaches its page: as a dialog's fragment or as a page of its own."""

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
"""How often a page that waits for something reloads itself where there is no script."""


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx fetches a part of a page."""
    return bool(HtmxDetails(request))


View = Callable[..., HttpResponse]


def posted(page: str, *, of_the_same: bool = True) -> Callable[[View], View]:
    """Decorates what is only posted: who comes by its address is led to the page it belongs to.

    `of_the_same`: that page is of the same session or login, so it takes the same arguments.
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
    """The fragment for a dialog; a page that holds it as a card for who came by its address.

    As a page its forms are plain ones, so that every step has an address that can be reloaded;
    it hears what changes, as the board does.
    """
    if is_htmx(request):
        return render(request, fragment, context, status=status)
    way_back = _came_from(request) or reverse("sessions:board")
    context = {"room": "sessions", "fragment": fragment, "way_back": way_back, **context}
    context["live_url"] = reverse("sessions:changes")
    return render(request, "parts/card_page.html", context, status=status)


def _came_from(request: HttpRequest) -> str:
    """The page of this console that led here, if any did: never a form's own address."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    is_ours = referrer.netloc == request.get_host() and referrer.path.startswith("/")
    is_page = referrer.path.startswith(("/inbox/", "/sessions/"))
    is_itself = unquote(referrer.path) == request.path
    if not is_ours or not is_page or is_itself or "/-/" in referrer.path:
        return ""
    return referrer.path + (f"?{referrer.query}" if referrer.query else "")
