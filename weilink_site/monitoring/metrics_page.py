"""`/metrics`. Answers a token with the scope `metrics`, and requests from this machine itself.

A request counts as one from this machine if it comes from a loopback address and no header says
that a proxy passed it on. A page without the database has the numbers of this process alone.
"""

import asyncio
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.core import GaugeMetricFamily, Metric

from sessions_app.monitoring import snapshots
from sessions_app.people import tokens
from sessions_app.people.roles import Capability, may
from sessions_app.people.tokens import Scope, TokenState
from weilink_site.monitoring.database_numbers import Counted, count
from weilink_site.pages.proxies import address_of
from weilink_site.postgresql.base import PoolUse
from weilink_site.version import product_version

DATABASE_S = 5.0
"""Prometheus gives a scrape 10 s by default."""
PASSED_ON = ("HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_SERVER", "HTTP_CF_CONNECTING_IP")
"""Besides those that `TrustedProxyMiddleware` knows."""


@login_not_required
@never_cache
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    try:
        if refusal := await _refusal(request):
            return refusal
    except (DatabaseError, InterfaceError, TimeoutError):
        return _plain("The database does not answer, so no token can be checked.", 503)
    counted = await _counted()
    body = await asyncio.to_thread(_page, counted)
    return HttpResponse(body, content_type=snapshots.CONTENT_TYPE)


async def _refusal(request: HttpRequest) -> HttpResponse | None:
    """A token that is sent is checked, wherever the request comes from."""
    header = request.headers.get("Authorization", "")
    if not header:
        if is_from_here(request):
            return None
        words = "Send a token with the scope metrics: Authorization: Bearer wlk_…"
        return _plain(words, 401, **{"WWW-Authenticate": "Bearer"})
    kind, _, secret = header.partition(" ")
    checking = sync_to_async(_refused)(secret.strip() if kind.lower() == "bearer" else "")
    return await asyncio.wait_for(checking, DATABASE_S)


def is_from_here(request: HttpRequest) -> bool:
    address = address_of(request.META.get("REMOTE_ADDR", ""))
    is_passed_on = request.META.get("weilink.forwarded", True)
    is_passed_on = is_passed_on or any(name in request.META for name in PASSED_ON)
    return address is not None and address.is_loopback and not is_passed_on


def _refused(secret: str) -> HttpResponse | None:
    """Why this token may not read the page; None if it may."""
    token = tokens.look_up(secret)
    state = tokens.state_of(token) if token is not None else None
    if state is TokenState.EXPIRED:
        words = "This token has expired. Make a new one at /account/."
        return _plain(words, 401, **{"WWW-Authenticate": "Bearer"})
    is_good = token is not None and state is TokenState.LIVING and token.allows(Scope.METRICS)
    if token is None or not is_good or not may(token.owner, Capability.SEE_BOARD):
        return _plain("This token does not give access to /metrics.", 403)
    tokens.note_use(token)
    return None


async def _counted() -> Counted | None:
    """None if the database does not answer in time."""
    counting = sync_to_async(count)(timezone.now())
    try:
        return await asyncio.wait_for(counting, DATABASE_S)
    except (DatabaseError, InterfaceError, TimeoutError):
        return None


def _page(counted: Counted | None) -> bytes:
    build = GaugeMetricFamily("weilink_build_info", "1; the version.", labels=["version"])
    build.add_metric([product_version()], 1)
    is_up = GaugeMetricFamily(
        "weilink_database_up",
        "1 if the database answered this scrape; 0: the page lacks what it knows.",
        value=int(counted is not None),
    )
    found = {snapshots.process_name(): snapshots.families()}
    own = [build, is_up, *_pool()]
    if counted is None:
        return snapshots.page(found, own)
    return snapshots.page({**found, **counted.workers}, [*own, *counted.families])


def pool_use() -> PoolUse | None:
    pool = getattr(connection, "pool", None)
    return PoolUse.of(pool) if pool is not None else None


def _pool() -> list[Metric]:
    """The database connections of this process; SQLite needs no pool."""
    use = pool_use()
    if use is None:
        return []
    family = GaugeMetricFamily(
        "weilink_database_connections",
        "Connections of this process: used, most, and requests waiting for one.",
        labels=["state"],
    )
    for state in ("used", "most", "waiting"):
        family.add_metric([state], getattr(use, state))
    return [family]


def _plain(words: str, status: int, **headers: str) -> HttpResponse:
    return HttpResponse(
        f"{words}\n", status=HTTPStatus(status), content_type="text/plain", headers=headers
    )
