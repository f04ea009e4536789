"""`/healthz`: the process is up. `/readyz`: database, channel layer and worker answer.

Status words only: these pages need no login.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from sessions_app import queries

CHECK_S = 2.0
LEAVE_S = 1.0


@login_not_required
@never_cache
async def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    words = {
        "database": await _word(database_sync_to_async(_ask_database)()),
        "channel_layer": await _word(_ask_channel_layer()),
        "worker": await _word(database_sync_to_async(_ask_worker)()),
    }
    ready = all(word == "ok" for word in words.values())
    status = "ready" if ready else "not ready"
    return JsonResponse({"status": status, **words}, status=200 if ready else 503)


async def _word(check: Awaitable[bool]) -> str:
    try:
        answered = await asyncio.wait_for(check, CHECK_S)
    except Exception:
        return "no answer"
    return "ok" if answered else "not heard"


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
        # On Redis a channel ends, with its subscription, by the cancel of a receive.
        listening.cancel()
        await asyncio.wait({listening}, timeout=LEAVE_S)
    return True


async def _listen(layer: Any, channel: str, heard: asyncio.Event) -> None:
    while True:
        await layer.receive(channel)
        heard.set()


def _ask_worker() -> bool:
    return queries.worker().alive
