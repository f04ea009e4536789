"""A copied installation is held until somebody releases it: its worker waits here."""

import asyncio
import logging

from django.db import DatabaseError

from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.installation import standing

logger = logging.getLogger(__name__)


async def may_work(run_in_database_thread: RunInDatabaseThread) -> bool:
    try:
        return await run_in_database_thread(standing.may_work)
    except DatabaseError:
        logger.exception("it could not be read whether this installation is held")
        return False


async def until_released(run_in_database_thread: RunInDatabaseThread, every_s: float) -> None:
    """Until then a copy is held: its worker is heard, but polls and sends nothing."""
    if await may_work(run_in_database_thread):
        return
    logger.warning("this installation is held: nothing is received or sent")
    while not await may_work(run_in_database_thread):  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(every_s)
    logger.warning("this installation was released")
