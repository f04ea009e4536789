"""Records how a session's polls go: answers, failures, doubts, an expired token. No network.

All of it is refused if another worker has claimed the session meanwhile (`Binding.current`).

Good polls are collected in memory and written every few seconds: a thousand sessions must not cost
a thousand commits per poll. These functions record evidence; `sessions_app.sessions.health` derives
the state from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from messaging.receiving import doubts
from messaging.receiving.binding import Binding, Heard
from sessions_app.database.batches import update_rows
from sessions_app.database.encryption import is_readable
from sessions_app.models import POLLED_STATES, Session, SessionState
from sessions_app.models.shared_folder import FOLDER_CODES
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import health, quarters
from sessions_app.sessions.health import GATEWAY, GATEWAY_PATIENCE_S, UNPOLLABLE_CODES, health_of
from sessions_app.sessions.services import record_state, touch


@dataclass(frozen=True, slots=True)
class GaveUp:
    """WeChat's gateway ended a poll with this HTTP status; WeChat itself did not answer."""

    at: datetime
    status: int


def good_polls(polls: Mapping[Binding, datetime]) -> None:
    """Record good polls at once: the first after a start or a failure changes the state.

    At a start all sessions come together, and one transaction holds them all.
    """
    with announcing() as change:
        rows = Session.objects.filter(
            pk__in=[one.session_id for one in polls], state__in=POLLED_STATES
        )
        locked = (
            rows.exclude(error_code__in=FOLDER_CODES).select_for_update(no_key=True).order_by("pk")
        )
        sessions = {one.pk: one for one in locked}
        by_quarter: dict[datetime, set[int]] = defaultdict(set)
        mine: list[Session] = []
        for binding, at in polls.items():
            session = sessions.get(binding.session_id)
            if session is not None and binding.holds(session):
                session.errors_in_row, session.next_poll_at = 0, None
                session.last_poll_at = at
                mine.append(session)
                by_quarter[quarters.quarter_of(at)].add(session.pk)
        update_rows(mine, ["errors_in_row", "next_poll_at", "last_poll_at"])
        for session in mine:
            if session.state == SessionState.CONNECTED and not session.error_code:
                touch(change, session)
            else:
                record_state(change, session, SessionState.CONNECTED)
        for began_at, heard in by_quarter.items():
            quarters.note_heard(heard, began_at)


def write_good_polls(polls: Mapping[Binding, Heard]) -> None:
    """Write the last good polls of many sessions in one transaction, without an announcement.

    A row whose cursor is not the one that the loop knows keeps it: a message moved it, or another
    worker. A session that is not polled any more keeps its time, too. An exception is a session
    that was paused and resumed meanwhile: it is announced.
    """
    if not polls:
        return
    rows = [
        (
            one.at, one.stored_cursor, one.cursor, one.hold_ms,
            binding.session_id, binding.generation, binding.lease_number,
        )
        for binding, one in polls.items()
    ]  # fmt: skip
    ids = [binding.session_id for binding in polls]
    with transaction.atomic(savepoint=False):
        if connection.features.has_select_for_update:
            locked = Session.objects.select_for_update(no_key=True).filter(pk__in=ids)
            list(locked.order_by("pk").values_list("pk"))
        with connection.cursor() as cursor:
            cursor.executemany(_WRITE_GOOD, [(_in_database(one[0]), *one[1:]) for one in rows])
    by_quarter: dict[datetime, set[int]] = defaultdict(set)
    for binding, one in polls.items():
        by_quarter[quarters.quarter_of(one.at)].add(binding.session_id)
    for began_at, heard in by_quarter.items():
        quarters.note_heard(heard, began_at)
    other = Session.objects.filter(pk__in=ids, state__in=POLLED_STATES)
    for pk, generation in list(
        other.exclude(state=SessionState.CONNECTED).values_list("pk", "generation")
    ):
        settle(pk, generation)


_WRITE_GOOD = f"""
UPDATE {Session._meta.db_table} SET
last_poll_at = CASE WHEN state IN ({", ".join(f"'{one}'" for one in POLLED_STATES)})
    THEN %s ELSE last_poll_at END,
cursor = CASE WHEN cursor = %s THEN %s ELSE cursor END, hold_ms = %s
WHERE id = %s AND generation = %s AND lease_number = COALESCE(%s, lease_number)
AND sealed_token <> ''
"""  # noqa: S608


def _in_database(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def write_given_up(polls: Mapping[Binding, GaveUp]) -> None:
    """Write polls that the gateway ended, of many sessions, without an announcement."""
    groups: dict[tuple[datetime, int, int, int | None], list[int]] = defaultdict(list)
    for binding, one in polls.items():
        key = (one.at, one.status, binding.generation, binding.lease_number)
        groups[key].append(binding.session_id)
    for (at, status, generation, lease_number), ids in groups.items():
        rows = _polled(ids, generation).exclude(error_code__in=UNPOLLABLE_CODES)
        if lease_number is not None:
            rows = rows.filter(lease_number=lease_number)
        rows.update(failed_at=at, error_code=GATEWAY, error_detail=str(status))


def settle(
    session_id: int, generation: int, *, patience_s: float = GATEWAY_PATIENCE_S
) -> SessionState | None:
    """Write the state that follows from the evidence. Returns it, or None if nothing changed."""
    with announcing() as change:
        session = _polled([session_id], generation).select_for_update(no_key=True).first()
        if session is None:
            return None
        found = health_of(session, now=timezone.now(), patience_s=patience_s)
        if found.state == session.state:
            return None
        record_state(change, session, found.state, code=found.code, detail=found.detail)
    return found.state


def settle_quiet(bindings: Sequence[Binding], patience_s: float) -> list[Binding]:
    """Of loops that have not heard from WeChat for a while, those whose state changed by that."""
    rows = Session.objects.filter(pk__in=[one.session_id for one in bindings])
    shown = {
        row.pk: health_of(row, now=timezone.now(), patience_s=patience_s).state != row.state
        for row in rows.only(*health.COLUMNS)
    }
    return [
        one
        for one in bindings
        if shown.get(one.session_id)
        and settle(one.session_id, one.generation, patience_s=patience_s) is not None
    ]


def failed_poll(
    binding: Binding, *, failures: int, code: str, detail: str, next_at: datetime
) -> None:
    with announcing() as change:
        session = _mine(binding)
        if session is None:
            return
        now = timezone.now()
        session.errors_in_row, session.next_poll_at, session.failed_at = failures, next_at, now
        session.error_code, session.error_detail = code, detail[:400]
        session.save(update_fields=["errors_in_row", "next_poll_at", "failed_at"])
        state = health_of(session, now=now).state
        record_state(change, session, state, code=code, detail=detail)
        quarters.note_error(session.pk, now)


def doubt(binding: Binding) -> None:
    """A poll was answered -14. One such answer proves nothing, so the verdict stays open."""
    with announcing() as change:
        if _is_current(binding):
            doubts.begin(change, binding.session_id, binding.generation)


def vouched(binding: Binding) -> None:
    """WeChat answered normally again: the doubt is over."""
    doubts.end(binding.session_id, binding.generation)


def signed_out(binding: Binding) -> None:
    """-14 again, after notifystart and one poll: the session has expired, stop polling it.

    Not if another worker polls it by now: two polls of one token may be answered -14, too.
    """
    with announcing() as change:
        if _is_current(binding):
            doubts.expire(change, binding.session_id, binding.generation)


def blocked(binding: Binding, *, code: str, detail: str) -> None:
    """The session cannot be polled, for example since its token cannot be decrypted."""
    with announcing() as change:
        session = _mine(binding)
        if session is not None and session.error_code != code:
            record_state(change, session, SessionState.FAILING, code=code, detail=detail)
            touch(change, session)


def say_unreadable() -> None:
    """At a start: mark sessions whose token our keys cannot decrypt, whoever polls them."""
    waiting = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
    rows = Session.objects.filter(state__in=waiting).exclude(encrypted_token="")
    stored = list(rows.values_list("pk", "encrypted_token"))
    for pk in [pk for pk, encrypted in stored if not is_readable(encrypted)]:
        with announcing() as change:
            session = rows.select_for_update(no_key=True).filter(pk=pk).first()
            if session is not None and session.error_code != "sealed":
                record_state(change, session, SessionState.FAILING, code="sealed")


def _polled(ids: Iterable[int], generation: int) -> models.QuerySet[Session]:
    """Sessions of this generation that are to be polled: a late note changes no newer binding."""
    return Session.objects.filter(pk__in=ids, generation=generation, state__in=POLLED_STATES)


def _mine(binding: Binding) -> Session | None:
    """Lock the session if this loop still may poll it.

    None if the shared folder has reported an error, or if another worker has claimed it.
    """
    rows = Session.objects.filter(**binding.current, state__in=POLLED_STATES)
    return rows.exclude(error_code__in=FOLDER_CODES).select_for_update().first()


def _is_current(binding: Binding) -> bool:
    """Lock the session. Whether it is bound and leased as it was when this poll loop began."""
    rows = Session.objects.select_for_update(no_key=True).filter(**binding.current)
    return rows.values_list("pk", flat=True).first() is not None
