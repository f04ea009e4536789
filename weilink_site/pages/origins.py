"""Lets only our own pages open a websocket. Browsers send cookies with requests from any site."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import validate_host

Application = Callable[[dict[str, Any], Any, Any], Awaitable[Any]]


def own_origin(scope: dict[str, Any]) -> bool:
    """Whether `Origin` is the public URL, or an allowed host that is also the requested host.

    Where the public URL is https, a page that came over plain http is none of ours.
    """
    headers = dict(scope.get("headers") or [])
    origin = headers.get(b"origin", b"").decode("latin-1").rstrip("/")
    if origin == settings.PUBLIC_URL:
        return True
    host = headers.get(b"host", b"").decode("latin-1")
    address = urlsplit(origin)
    schemes = {"https"} if settings.PUBLIC_URL.startswith("https://") else {"http", "https"}
    if address.scheme not in schemes or not host or address.netloc != host:
        return False
    return validate_host(address.hostname or "", settings.ALLOWED_HOSTS)


def only_own_pages(inner: Application) -> Application:
    """Refuse the handshake for every other origin and for clients that send none."""
    denier = WebsocketDenier()

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        chosen = inner if own_origin(scope) else denier
        return await chosen(scope, receive, send)

    return application
