"""What polling shows of a session: good polls, failures, a dead token. Rows only, no network.

Good polls are noted in memory and written together every few seconds: a thousand sessions must
not cost a thousand commits a poll.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from messaging import outbox
from sessions_app import quarters
from sessions_app.health import NOT_HEARD, health_of
from sessions_app.models import POLLED_STATES, Session, SessionState
from sessions_app.realtime import announcing
from sessions_app.sealed import is_readable
from sessions_app.services import record_state, touch

if TYPE_CHECKING:
    from messaging.poller import Binding

FAILING_FROM = 3


def good_poll(binding: Binding, at: datetime) -> None:
    """The first good one after a start or a failure turns the state."""
    with announcing() as change:
        session = _mine(binding)
        if session is not None:
            session.errors_in_row, session.next_poll_at = 0, None
            session.last_poll_at = at
            session.save(update_fields=["errors_in_row", "next_poll_at", "last_poll_at"])
            record_state(change, session, SessionState.CONNECTED)
            quarters.note_heard([session.pk], at)


def write_good_polls(polls: Mapping[Binding, datetime]) -> None:
    """The last good polls of many sessions in one transaction, announced to nobody."""
    by_time: dict[datetime, list[int]] = {}
    for binding, at in polls.items():
        by_time.setdefault(at.replace(microsecond=0), []).append(binding.session_id)
    for at, ids in by_time.items():
        Session.objects.filter(pk__in=ids, state__in=POLLED_STATES).update(last_poll_at=at)
    by_quarter: dict[datetime, set[int]] = {}
    for at, ids in by_time.items():
        by_quarter.setdefault(quarters.quarter_of(at), set()).update(ids)
    for began_at, heard in by_quarter.items():
        quarters.note_heard(heard, began_at)


def failed_poll(
    binding: Binding, *, failures: int, code: str, detail: str, next_at: datetime
) -> None:
    with announcing() as change:
        session = _mine(binding)
        if session is None:
            return
        session.errors_in_row, session.next_poll_at = failures, next_at
        session.save(update_fields=["errors_in_row", "next_poll_at"])
        failing = failures >= FAILING_FROM
        state = SessionState.FAILING if failing else SessionState(session.state)
        record_state(change, session, state, code=code, detail=detail)
        quarters.note_error(session.pk, timezone.now())


def silent(binding: Binding) -> None:
    """Polled, and nothing was heard for 90 s: what the pages say by now is an event too."""
    with announcing() as change:
        session = _mine(binding)
        if session is not None and health_of(session, now=timezone.now()).is_silent:
            record_state(change, session, SessionState.FAILING, code=NOT_HEARD)


def signed_out(binding: Binding) -> None:
    """-14: stop polling this binding and say so."""
    with announcing() as change:
        outbox.expire(change, binding.session_id, binding.generation)


def blocked(binding: Binding, *, code: str, detail: str) -> None:
    """The session cannot be polled at all, a sealed token or a forbidden address for one."""
    with announcing() as change:
        session = _mine(binding)
        if session is not None and session.error_code != code:
            record_state(change, session, SessionState.FAILING, code=code, detail=detail)
            touch(change, session)


def say_unreadable() -> None:
    """At a start: sessions whose token our keys cannot open say so, whoever should poll them."""
    waiting = (*POLLED_STATES, SessionState.POLLED_ELSEWHERE)
    rows = Session.objects.filter(state__in=waiting).exclude(sealed_token="")
    stored = list(rows.values_list("pk", "sealed_token"))
    for pk in [pk for pk, sealed in stored if not is_readable(sealed)]:
        with announcing() as change:
            session = rows.select_for_update(no_key=True).filter(pk=pk).first()
            if session is not None and session.error_code != "sealed":
                record_state(change, session, SessionState.FAILING, code="sealed")


def _mine(binding: Binding) -> Session | None:
    """The session, if it is still bound as it was and still to be polled."""
    rows = Session.objects.select_for_update().filter(
        pk=binding.session_id, generation=binding.generation, state__in=POLLED_STATES
    )
    return rows.first()
