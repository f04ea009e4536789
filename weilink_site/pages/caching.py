"""No browser and no proxy keeps a page: pages hold customers' text, and show what is so now."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PagesAreNotKeptMiddleware:
    """For every answer that does not say otherwise itself. Static files never come this far.

    The answer to a form too: it shows what was typed, and Back must not show it again after
    signing out. The browser then asks whether to send the form again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
