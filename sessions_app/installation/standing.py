"""Whether this installation may poll and send: a copy is held, a copied source has moved.

Written by `manage.py copy_database` and by the administrator who releases the copy. Workers read it
before they begin, pages through a cache of a few seconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.asyncio import async_unsafe

from sessions_app.models import Installation, Team, User
from sessions_app.realtime.streams import announcing, wake_workers
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Detail, Subject, record

ROW = 1
TOPIC = "installation"
KEPT_S = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Times are None and places "" where they do not apply."""

    held_at: datetime | None = None
    held_of: str = ""
    moved_at: datetime | None = None
    moved_to: str = ""

    @property
    def is_held(self) -> bool:
        return self.held_at is not None

    @property
    def is_moved(self) -> bool:
        return self.moved_at is not None

    @property
    def may_work(self) -> bool:
        """Whether a worker may poll and send on this database."""
        return not self.is_held and not self.is_moved


_kept: tuple[float, Standing] | None = None


def standing() -> Standing:
    """As the database has it now. Takes one query."""
    row = Installation.objects.filter(pk=ROW).first()
    if row is None:
        return Standing()
    return Standing(row.held_at, row.held_of, row.moved_at, row.moved_to)


def may_work() -> bool:
    return standing().may_work


@async_unsafe
def recent_standing(*, clock: Callable[[], float] = time.monotonic) -> Standing:
    """At most `KEPT_S` old, for pages. Takes at most one query.

    A hold is never cached, so that its end is seen at once.
    """
    global _kept
    now = clock()
    if _kept is None or now - _kept[0] >= KEPT_S or not _kept[1].may_work:
        _kept = (now, standing())
    return _kept[1]


def forget() -> None:
    """Drop the cache, so that the next page queries the database."""
    global _kept
    _kept = None


def hold(*, copy_of: str, action: Action = Action.INSTALLATION_HELD) -> None:
    """Mark this database as a copy: nothing polls or sends here until it is released.

    `action`: what the audit log says of it.
    """
    facts = {"held_at": timezone.now(), "held_of": copy_of[:1000]}
    with transaction.atomic():
        Installation.objects.update_or_create(pk=ROW, defaults=facts)
        _record(action, place=copy_of)
    forget()


def _record(action: Action, user: User | None = None, **details: Detail) -> None:
    record(action, Subject(Kind.INSTALLATION), user=user, **details)


def release(*, user: User | None) -> bool:
    """Let a held copy poll and send, and tell workers and pages. False: it was not held."""
    with announcing() as change:
        held = Installation.objects.filter(pk=ROW).exclude(held_at=None)
        is_released = held.update(held_at=None, released_at=timezone.now(), released_by=user) == 1
        if is_released:
            _record(Action.INSTALLATION_RELEASED, user)
            for team in Team.objects.all():
                change.mention(team.stream_key, TOPIC)
            wake_workers()
    forget()
    return is_released


def mark_moved(*, to: str) -> None:
    """Mark this database as copied elsewhere: no console and no poller starts on it any more."""
    facts = {"moved_at": timezone.now(), "moved_to": to[:1000]}
    with transaction.atomic():
        Installation.objects.update_or_create(pk=ROW, defaults=facts)
        _record(Action.DATABASE_COPIED, place=to)
    forget()


def take_back() -> bool:
    """Let a source that was copied work again. False: it was not marked as moved."""
    moved = Installation.objects.filter(pk=ROW).exclude(moved_at=None)
    with transaction.atomic():
        is_back = moved.update(moved_at=None, moved_to="") == 1
        if is_back:
            _record(Action.DATABASE_TAKEN_BACK)
    forget()
    return is_back
