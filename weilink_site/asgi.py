"""The ASGI application: Django over HTTP, one websocket, and in the demo the simulated WeChat."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weilink_site.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import path

from sessions_app.consumers import LiveConsumer

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def _own_origins() -> list[str]:
    """Where our pages come from: the public address, and the allowed hosts on any port."""
    hosts = ["localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else []
    return [settings.PUBLIC_URL, *settings.ALLOWED_HOSTS, *hosts]


def websockets() -> Application:
    routes = URLRouter([path("ws/live/", LiveConsumer.as_asgi())])
    guarded: Application = OriginValidator(AuthMiddlewareStack(routes), _own_origins())
    return guarded


def mounted(inner: Application, simulated: Application, prefix: str = "/simulator") -> Application:
    """`simulated` under `prefix`, `inner` everywhere else."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        target = inner
        if scope["type"] == "http" and (scope["path"] + "/").startswith(prefix + "/"):
            target, scope = simulated, {**scope, "root_path": scope.get("root_path", "") + prefix}
        await target(scope, receive, send)

    return application


application: Application = ProtocolTypeRouter(
    {"http": django_application, "websocket": websockets()}
)
