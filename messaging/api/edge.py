"""The outer wall of the API: what Django itself refuses is said in the API's form too.

A middleware, so that unknown addresses, wrong methods, wrong hosts and crashes outside of the
calls answer like the calls do. It changes nothing outside of `/api/v1/`.
"""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from messaging.api.errors import error_body

PREFIX = "/api/v1/"

_WORDS = {
    400: ("bad_request", "This request cannot be read."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is no such call."),
    405: ("method_not_allowed", "This call does not take this method; see Allow."),
    413: ("too_large", "This request is too large."),
}


class ApiEdgeMiddleware:
    """Errors become JSON; nothing of the API is kept by anybody's cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code >= 400 and not _is_ours(response):
            say_as_json(response)
        return response


def _is_ours(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def say_as_json(response: HttpResponse) -> None:
    """In place, so that headers such as Allow stay."""
    unknown = ("server_error", "Something broke here; the log says what.")
    code, words = _WORDS.get(response.status_code, unknown)
    response.content = json.dumps(error_body(code, words)).encode()
    response.headers["Content-Type"] = "application/json"
    if response.headers.get("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))
