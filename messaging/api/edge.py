"""Middleware that turns Django's own error pages under `/api/v1/` into the API's JSON errors.

It handles what never reaches a call or fails outside of one: unknown addresses, wrong methods,
wrong hosts, ranges beyond the end of a file, and crashes.
"""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from messaging.api.codes import code_for
from messaging.api.errors import RETRY_AFTER, error_body

PREFIX = "/api/v1/"

_WORDS = {
    403: "This is not allowed.",
    404: "There is no such call.",
    405: "This call does not take this method; see Allow.",
    413: "This request is too large.",
    416: "The range begins behind the end of the file; see Content-Range for its size.",
    503: "The console is busy or its database does not answer. Try again.",
}
_FILE_HEADERS = ("Content-Disposition", "ETag")
"""Headers of a file's answer that must not stay on an error."""


class ApiEdgeMiddleware:
    """Turns errors into JSON and keeps the API's answers out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
        if response.status_code >= 400:
            if not _is_ours(response):
                replace_with_json(response)
            response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _is_ours(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def replace_with_json(response: HttpResponse) -> None:
    """Replace the body in place, so that headers such as Allow stay."""
    response.content = json.dumps(error_of(response.status_code)).encode()
    response.headers["Content-Type"] = "application/json"
    for name in _FILE_HEADERS:
        response.headers.pop(name, None)
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", RETRY_AFTER["Retry-After"])
    if response.headers.get("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))


def error_of(status: int) -> dict[str, object]:
    """The error body for a bare status."""
    broken, unread = "Something broke here; the log says what.", "This request cannot be read."
    words = _WORDS.get(status, broken if status >= 500 else unread)
    return error_body(code_for(status), words)
