"""No browser and no proxy keeps a page: pages hold customers' text, and show what is so now."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PagesAreNotKeptMiddleware:
    """For every answer that does not say otherwise itself. Static files never come this far.

    The answer to a form without JavaScript stays with the browser: Back leads to it, and the form
    must not be sent again for that.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method in {"GET", "HEAD"}:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
