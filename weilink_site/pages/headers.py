"""The headers that every answer has, errors too, and the redirect from plain http to PUBLIC_URL.

Our own scripts, styles and pictures have only those of Django's SecurityMiddleware: no page can be
made of them, and the rest would be a fifth of the first load.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
"""What no page of the console asks a browser for."""
PLAIN_PATHS = ("/healthz", "/readyz", "/metrics")
"""Asked by programs on this host or in this network, beside the proxy."""


class PermanentRedirect(HttpResponseRedirectBase):
    """308: the request is sent again as it is, with its method and its body."""

    status_code = 308


def headers_of_every_answer() -> dict[str, str]:
    """By name. An answer that sets one of them itself keeps its own."""
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Content-Security-Policy": "; ".join(f"{name} {' '.join(of)}" for name, of in policy),
    }


class EveryAnswerMiddleware:
    """Sets them, and redirects what came over plain http although PUBLIC_URL is https."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._headers = headers_of_every_answer()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if came_plain(request):
            response: HttpResponse = PermanentRedirect(
                f"{settings.PUBLIC_URL}{request.get_full_path()}"
            )
        else:
            response = self.get_response(request)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        return response


def came_plain(request: HttpRequest) -> bool:
    """Whether it is certain that the browser used http, and PUBLIC_URL is https.

    A proxy that does not say what the browser used gets no redirect: it would never end.
    """
    if not settings.PUBLIC_URL.startswith("https://") or request.is_secure():
        return False
    if request.path_info in PLAIN_PATHS:
        return False
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    if "HTTP_X_FORWARDED_PROTO" in request.META:  # a proxy that we trust says so
        return True
    is_direct = not request.META.get("weilink.forwarded")
    return is_direct and host != urlsplit(settings.PUBLIC_URL).netloc
