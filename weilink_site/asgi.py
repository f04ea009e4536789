"""The ASGI application: Django over HTTP, one websocket, and in the demo the simulated WeChat."""

import gc
import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weilink_site.settings")

import django

django.setup()

from django.conf import settings
from django.core.asgi import get_asgi_application

from weilink_site.daphne import body_limit, shutdown
from weilink_site.host import preflight

if not settings.TESTING:
    preflight.stop_web()
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import get_resolver, path

from sessions_app.realtime.consumers import LiveConsumer
from weilink_site.daphne.flow_control import flowing
from weilink_site.pages.database_thread import on_thread_of_its_own
from weilink_site.pages.origins import only_own_pages

body_limit.install()
shutdown.install()

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def websockets() -> Application:
    routes = URLRouter([path("ws/live/", LiveConsumer.as_asgi())])
    return only_own_pages(AuthMiddlewareStack(routes))


def mounted(inner: Application, simulated: Application, prefix: str = "/simulator") -> Application:
    """`simulated` under `prefix`, `inner` everywhere else."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        target = inner
        if scope["type"] == "http" and (scope["path"] + "/").startswith(prefix + "/"):
            target, scope = simulated, {**scope, "root_path": scope.get("root_path", "") + prefix}
        await target(scope, receive, send)

    return flowing(application)


application: Application = flowing(
    ProtocolTypeRouter(
        {"http": on_thread_of_its_own(django_application), "websocket": websockets()}
    )
)


def keep_what_is_loaded() -> None:
    """What was imported stays for good: the collector need not look through it again and again,
    57 ms each time in which nobody is answered and nothing received. The addresses are loaded
    first, which spares the first reader that wait."""
    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


keep_what_is_loaded()
