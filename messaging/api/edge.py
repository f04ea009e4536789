"""The outer wall of the API: what Django itself refuses is said in the API's form too.

A middleware, so that unknown addresses, wrong methods, wrong hosts, ranges beyond the end and
crashes outside of the calls answer like the calls do. It changes nothing outside of `/api/v1/`.
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
_OF_THE_FILE = ("Content-Disposition", "ETag")
"""Headers of an answer that would have been a file."""


class ApiEdgeMiddleware:
    """Errors become JSON; nothing of the API is kept by anybody's cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
        if response.status_code >= 400:
            if not _is_ours(response):
                say_as_json(response)
            response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _is_ours(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/json")


def say_as_json(response: HttpResponse) -> None:
    """In place, so that headers such as Allow stay."""
    response.content = json.dumps(error_of(response.status_code)).encode()
    response.headers["Content-Type"] = "application/json"
    for name in _OF_THE_FILE:
        response.headers.pop(name, None)
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", RETRY_AFTER["Retry-After"])
    if response.headers.get("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))


def error_of(status: int) -> dict[str, object]:
    """What a bare status says."""
    broken, unread = "Something broke here; the log says what.", "This request cannot be read."
    words = _WORDS.get(status, broken if status >= 500 else unread)
    return error_body(code_for(status), words)
