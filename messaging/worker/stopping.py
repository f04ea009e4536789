"""The last steps of a worker that stops."""

import asyncio
import logging
from collections.abc import Awaitable

from django.db import connections

from sessions_app.sessions import leases

logger = logging.getLogger(__name__)


async def all_of(*steps: Awaitable[None]) -> None:
    """Steps of a stop: one that fails, a database that is away, must not keep the others."""
    for error in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(error, BaseException):
            logger.error("a step of the worker's stop failed", exc_info=error)


def retire(worker_id: str) -> None:
    try:
        leases.retire(worker_id)
    finally:
        connections.close_all()
