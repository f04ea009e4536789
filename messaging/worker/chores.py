"""Loops that tidy up: they look now and then, and nobody waits for them."""

import logging
from collections.abc import Awaitable, Callable

from messaging.conversations.leavers import Leavers
from messaging.retention import forgetting
from messaging.retention.sweep import Sweep
from messaging.worker import analyze
from messaging.worker.pauses import Pauses
from sessions_app.database.database_thread import RunInDatabaseThread
from sessions_app.loops.wake_or_sweep import Look, WakeOrSweep, look_by

logger = logging.getLogger(__name__)


def chores(
    *,
    pauses: Pauses,
    leavers: Leavers,
    run_in_database_thread: RunInDatabaseThread,
    run_slow_work: RunInDatabaseThread,
) -> tuple[Awaitable[None], ...]:
    """`run_slow_work`: a database thread in which replies do not wait."""
    learning = _loop(
        "the database could not learn its sizes", pauses.learn_every_s, pauses.learn_after_s
    )
    releasing = _loop(
        "conversations of members who left could not be looked up", pauses.leavers_every_s
    )
    deleting = _loop(
        "what is too old could not be deleted", pauses.retention_every_s, pauses.retention_after_s
    )
    forgetting_people = _loop(
        "forgetting a person could not be finished", pauses.forgetting_every_s
    )
    return (
        learning.run(look_by(run_in_database_thread, analyze.learn_sizes)),
        releasing.run(look_by(run_in_database_thread, leavers.look)),
        deleting.run(_in_steps(run_slow_work, Sweep().step, pauses.retention_step_s)),
        forgetting_people.run(_in_steps(run_slow_work, forgetting.go_on, pauses.forgetting_step_s)),
    )


def _in_steps(run: RunInDatabaseThread, step: Callable[[], bool], pause_s: float) -> Look:
    """One step a look, with a short pause as long as there is more to do."""

    async def look() -> float | None:
        return pause_s if await run(step) else None

    return look


def _loop(error_text: str, every_s: float, first_after_s: float = 0.0) -> WakeOrSweep:
    return WakeOrSweep(
        every_s=every_s, first_after_s=first_after_s, logger=logger, error_text=error_text
    )
