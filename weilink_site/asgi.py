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

from weilink_site.daphne import answers, body_limit, head_time, shutdown
from weilink_site.host import preflight

if not settings.TESTING:
    preflight.stop_web()
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import get_resolver, path

from messaging.push.content import InboxContent
from sessions_app.realtime.consumers import LiveConsumer
from weilink_site.bounds.gate import gate
from weilink_site.daphne.flow_control import flowing
from weilink_site.pages.database_thread import on_thread_of_its_own
from weilink_site.pages.origins import only_own_pages
from weilink_site.pages.traces import traced
from weilink_site.pages.websocket_users import with_users

answers.install()
head_time.install()
body_limit.install()
shutdown.install()

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def websockets() -> Application:
    routes = URLRouter([path("ws/live/", LiveConsumer.as_asgi(content=InboxContent))])
    return only_own_pages(with_users(routes))


def mounted(inner: Application, simulated: Application, prefix: str = "/simulator") -> Application:
    """Route `prefix` to `simulated` and everything else to `inner`."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        target = inner
        if scope["type"] == "http" and (scope["path"] + "/").startswith(prefix + "/"):
            target, scope = simulated, {**scope, "root_path": scope.get("root_path", "") + prefix}
        await target(scope, receive, send)

    return flowing(application)


application: Application = flowing(
    ProtocolTypeRouter(
        {
            "http": traced(gate.bounded(on_thread_of_its_own(django_application))),
            "websocket": websockets(),
        }
    )
)


def keep_what_is_loaded() -> None:
    """Exclude all imported objects from garbage collection, as they stay until the process ends.

    Otherwise each full collection would block the event loop for 57 ms. Loads the URL patterns
    first, so that the first request does not wait for them.
    """
    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


keep_what_is_loaded()
