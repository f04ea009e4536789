"""Marks refusals by the console, so that the page's own requests recognise them and can go on.

Every refusal by the console has the header `WeiLink-Refusal`. One without it came from a proxy.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sessions_app.monitoring import meters
from weilink_site.pages.texts import refusal_texts
from weilink_site.pages.traces import area_of

REFUSAL = "WeiLink-Refusal"
STALE = "token"
"""The form's CSRF token is not, or no longer, valid for this browser."""


class RefusalMiddleware:
    """Marks and counts responses by which the console refuses a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 400:
            response.headers.setdefault(REFUSAL, str(response.status_code))
            count_refusal(request.path_info, response.status_code)
        return response


def count_refusal(path: str, status: int) -> None:
    meters.REQUESTS_REFUSED.labels(area_of(path), str(status)).inc()


@never_cache
@require_GET
def token(request: HttpRequest) -> JsonResponse:
    """Who is signed in by now, and the token for their posts; for `static/js/live/refused.js`."""
    user = {"user": request.user.pk, "token": get_token(request)}
    return JsonResponse({**user, "words": refusal_texts()})
