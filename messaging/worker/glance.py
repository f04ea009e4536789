"""One cheap look into the database: is there anything for the worker to do?

A single statement a second, answered by indexes, stands for the looks of all jobs. Each job then
looks for itself only where there is something, when it was woken, or at a rare sweep. A statement
is written by hand: composing one takes longer than the database takes to answer it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from messaging.models import Attachment, Conversation, Message, ParkedReply, Typing
from sessions_app.models import LoginAttempt, Session, WorkerBeat
from sessions_app.sessions.leases import BEAT_TTL_S


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is to do. `is_known`: the worker is not declared dead.

    `sessions`: another number than before means that some session has changed.
    `workers`: another text than before means that a worker has come or gone.
    `chores`: logins, doubts, free sessions, silent workers, lost sends, or what time has brought.
    """

    is_known: bool
    sessions: int
    workers: str
    chores: bool
    outbox: bool
    files: bool
    typing: bool


def glance(worker_id: str, now: datetime) -> Glance:
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[connection.vendor], [worker_id, at, at, at, at])
        is_known, sessions, workers, *rest = cursor.fetchone()
    chores, outbox, files, typing = map(bool, rest)
    return Glance(bool(is_known), int(sessions), str(workers or ""), chores, outbox, files, typing)


def _table(model: Any) -> str:
    return str(model._meta.db_table)


# Names joined, and the time before which a heartbeat is too old, by the database's own clock.
_JOINED = {"postgresql": "string_agg", "sqlite": "group_concat"}
_SILENT_SINCE = {
    "postgresql": f"STATEMENT_TIMESTAMP() - INTERVAL '{BEAT_TTL_S} seconds'",
    "sqlite": f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '-{BEAT_TTL_S} seconds')",
}

# Conditions are those of the partial indexes, word for word: SQLite derives nothing.
_STATEMENT = f"""
SELECT
    EXISTS (SELECT 1 FROM {_table(WorkerBeat)} WHERE worker_id = %s),
    (SELECT COALESCE(SUM(version), 0) FROM {_table(Session)}),
    (
        SELECT [joined](worker_id, ' ')
        FROM (SELECT worker_id FROM {_table(WorkerBeat)} ORDER BY worker_id) AS workers
    ),
    EXISTS (SELECT 1 FROM {_table(LoginAttempt)} WHERE finished_at IS NULL)
    OR EXISTS (SELECT 1 FROM {_table(Session)} WHERE doubted_at IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM {_table(Session)}
        WHERE state IN ('connecting', 'connected', 'failing')
        AND lease_owner NOT IN (SELECT worker_id FROM {_table(WorkerBeat)})
    )
    OR EXISTS (SELECT 1 FROM {_table(WorkerBeat)} WHERE heard_at < [silent_since])
    OR EXISTS (
        SELECT 1 FROM {_table(Message)}
        WHERE status IN ('queued', 'sending') AND status = 'sending'
        AND claimed_by NOT IN (SELECT worker_id FROM {_table(WorkerBeat)})
    )
    OR EXISTS (
        SELECT 1 FROM {_table(Conversation)}
        WHERE snoozed_until IS NOT NULL AND snoozed_until <= %s
    )
    OR EXISTS (
        SELECT 1 FROM {_table(Conversation)}
        WHERE waiting_since IS NOT NULL AND missed_at IS NULL AND closes_at <= %s
    )
    OR EXISTS (
        SELECT 1 FROM {_table(ParkedReply)} WHERE state = 'waiting' AND expires_at <= %s
    ),
    EXISTS (SELECT 1 FROM {_table(Message)} WHERE status IN ('queued', 'sending')),
    EXISTS (
        SELECT 1 FROM {_table(Attachment)}
        WHERE state IN ('remote', 'fetching')
        AND (state = 'fetching' OR next_try_at IS NULL OR next_try_at <= %s)
    ),
    EXISTS (SELECT 1 FROM {_table(Typing)})
"""  # noqa: S608

_STATEMENTS = {
    vendor: _STATEMENT.replace("[joined]", _JOINED[vendor]).replace(
        "[silent_since]", _SILENT_SINCE[vendor]
    )
    for vendor in _JOINED
}
