"""Records how a session's polls go: answers, failures, doubts, an expired token. No network.

Good polls are collected in memory and written every few seconds: a thousand sessions must not cost
a thousand commits per poll. These functions record evidence; `sessions_app.sessions.health` derives
the state from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils import timezone

from messaging.receiving import doubts
from messaging.receiving.binding import Binding
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


def good_poll(binding: Binding, at: datetime) -> None:
    """Record a good poll at once: the first after a start or a failure changes the state."""
    with announcing() as change:
        session = _mine(binding)
        if session is not None:
            session.errors_in_row, session.next_poll_at = 0, None
            session.last_poll_at = at
            session.save(update_fields=["errors_in_row", "next_poll_at", "last_poll_at"])
            record_state(change, session, SessionState.CONNECTED)
            quarters.note_heard([session.pk], at)


def write_good_polls(polls: Mapping[Binding, datetime]) -> None:
    """Write the last good polls of many sessions in one transaction, without an announcement.

    An exception is a session that was paused and resumed meanwhile: it is announced.
    """
    groups: dict[tuple[datetime, int], list[int]] = defaultdict(list)
    for binding, at in polls.items():
        groups[at.replace(microsecond=0), binding.generation].append(binding.session_id)
    by_quarter: dict[datetime, set[int]] = defaultdict(set)
    for (at, generation), ids in groups.items():
        mine = _polled(ids, generation)
        mine.update(last_poll_at=at)
        by_quarter[quarters.quarter_of(at)].update(ids)
        other = mine.exclude(state=SessionState.CONNECTED).values_list("pk", flat=True)
        for pk in list(other):
            settle(pk, generation)
    for began_at, heard in by_quarter.items():
        quarters.note_heard(heard, began_at)


def write_given_up(polls: Mapping[Binding, GaveUp]) -> None:
    """Write polls that the gateway ended, of many sessions, without an announcement."""
    groups: dict[tuple[datetime, int, int], list[int]] = defaultdict(list)
    for binding, one in polls.items():
        groups[one.at, one.status, binding.generation].append(binding.session_id)
    for (at, status, generation), ids in groups.items():
        rows = _polled(ids, generation).exclude(error_code__in=UNPOLLABLE_CODES)
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
        doubts.begin(change, binding.session_id, binding.generation)


def vouched(binding: Binding) -> None:
    """WeChat answered normally again: the doubt is over."""
    doubts.end(binding.session_id, binding.generation)


def signed_out(binding: Binding) -> None:
    """-14 again, after notifystart and one poll: the session has expired, stop polling it."""
    with announcing() as change:
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
    """Lock the session if it may be polled. None if the shared folder has reported an error."""
    rows = _polled([binding.session_id], binding.generation).exclude(error_code__in=FOLDER_CODES)
    return rows.select_for_update().first()
