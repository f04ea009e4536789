"""Believes `X-Forwarded-*` only from the proxies that TRUSTED_PROXIES names."""

import ipaddress
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
)


class TrustedProxyMiddleware:
    """First in the chain: what nobody trusted said is gone before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["weilink.forwarded"] = any(name in request.META for name in _HEADERS)
        if not is_trusted(request.META.get("REMOTE_ADDR", "")):
            for name in _HEADERS:
                request.META.pop(name, None)
        request.META["weilink.client"] = _client(request.META)
        return self.get_response(request)


def _client(facts: dict[str, Any]) -> str:
    """The nearest address that is no proxy of ours: what lies before it could be made up."""
    address: str = facts.get("REMOTE_ADDR", "")
    hops = facts.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while hops and is_trusted(address):
        address = hops.pop().strip() or address
    return address


def is_trusted(address: str) -> bool:
    try:
        remote = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(
        remote in ipaddress.ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES
    )
