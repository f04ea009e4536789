"""Health pages: `/healthz` says that the process is up, `/readyz` that everything it needs works.

They need no login and return only status words.
"""

import asyncio
import time
from collections.abc import Awaitable
from functools import lru_cache
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from sessions_app.board import queries
from sessions_app.folder.mirror import shared
from weilink_site.host import disk

CHECK_S = 2.0
DISK_KEPT_S = 3.0
LEAVE_S = 1.0


@login_not_required
@never_cache
async def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    words = {
        "database": await _status_word(database_sync_to_async(_ask_database)()),
        "channel_layer": await _status_word(_ask_channel_layer()),
        "worker": await _status_word(database_sync_to_async(_ask_worker)()),
        "receiving": await _status_word(database_sync_to_async(_ask_receiver)(), "nobody receives"),
        "disk": await asyncio.to_thread(_disk_word),
    }
    ready = all(word == "ok" for word in words.values())
    status = "ready" if ready else "not ready"
    answer = JsonResponse({"status": status, **words}, status=200 if ready else 503)
    # Monitoring calls this every few seconds, and Django would log a line each time.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


async def _status_word(check: Awaitable[bool], otherwise: str = "not heard") -> str:
    try:
        answered = await asyncio.wait_for(check, CHECK_S)
    except Exception:
        return "no answer"
    return "ok" if answered else otherwise


def _ask_database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


async def _ask_channel_layer() -> bool:
    layer = get_channel_layer()
    if layer is None:
        return False
    channel, heard = await layer.new_channel("health"), asyncio.Event()
    listening = asyncio.create_task(_listen(layer, channel, heard))
    try:
        await layer.send(channel, {"type": "health"})
        await heard.wait()
    finally:
        # On Redis, cancelling a receive ends the channel with its subscription.
        listening.cancel()
        await asyncio.wait({listening}, timeout=LEAVE_S)
    return True


async def _listen(layer: Any, channel: str, heard: asyncio.Event) -> None:
    while True:
        await layer.receive(channel)
        heard.set()


def _ask_worker() -> bool:
    return queries.worker().alive


def _ask_receiver() -> bool:
    """False while the program that holds the polls of the shared folder is stopped."""
    return settings.WEILINK_STORE != "files" or shared.is_received(shared.shared_folder())


def _disk_word() -> str:
    """The result is cached for a few seconds, because anybody may ask."""
    return _disk_word_of(int(time.monotonic() / DISK_KEPT_S))


@lru_cache(maxsize=1)
def _disk_word_of(moment: int) -> str:
    """The worst state of the data and media folders."""
    folders = {Path(settings.DATA_DIR), Path(settings.MEDIA_ROOT)}
    words = {disk.state_of(folder) for folder in folders}
    return next((word for word in ("full", "read-only") if word in words), "ok")
