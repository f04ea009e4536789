"""Leases: which worker polls which session.

A lease is the worker's name on the session's row, with a number that grows whenever the session is
claimed. It has no expiry time of its own. A worker whose heartbeat is older than `BEAT_TTL_S` is
removed, which frees its leases; if it is still alive, its next `beat` returns False. Heartbeats are
compared by the database's clock, so the clocks of the hosts may differ (decision 16).
"""

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sessions_app.models import POLLED_STATES, LoginAttempt, Session, WorkerBeat
from sessions_app.models.shared_folder import FOLDER_CODES
from sessions_app.realtime.streams import waking_workers
from sessions_app.sessions.shares import fair_shares

BEAT_EVERY_S = 2.0
BEAT_TTL_S = 7.5
"""With a glance a second, a lost worker's sessions are polled again within 10 s."""
LAPSES_AFTER_S = 5.0
"""A worker without a new heartbeat stops polling then. Its polls end 2 s later, at the latest."""


@dataclass(frozen=True, slots=True)
class Held:
    """The sessions that a worker holds, and the ids of those beyond its fair share."""

    sessions: list[Session]
    surplus: frozenset[int] = frozenset()


def register(worker_id: str) -> None:
    """Register the worker. The id must be new."""
    WorkerBeat.objects.create(
        worker_id=worker_id, host=socket.gethostname(), pid=os.getpid(), heard_at=Now()
    )


def beat(worker_id: str, numbers: bytes = b"", *, judges: bool = True) -> bool:
    """Record a heartbeat, and remove dead workers if this one `judges`.

    `numbers`: what the process has counted; without it the old ones stay. Returns False if the
    worker was removed; it must then release everything.
    """
    if judges:
        remove_dead(spare=worker_id)
    written = {"numbers": numbers} if numbers else {}
    return bool(WorkerBeat.objects.filter(pk=worker_id).update(heard_at=Now(), **written))


def remove_dead(*, spare: str = "") -> None:
    """Remove workers without a recent heartbeat, except `spare`. Their leases become free."""
    gone = WorkerBeat.objects.filter(heard_at__lt=Now() - timedelta(seconds=BEAT_TTL_S))
    gone.exclude(pk=spare).delete()


def retire(worker_id: str) -> None:
    """Remove a worker that stops, so that its leases are free at once."""
    WorkerBeat.objects.filter(pk=worker_id).delete()


def retire_all() -> None:
    """Remove workers of this host whose process is gone. Called when a console starts.

    Other workers may be running, here or on another host. Dead workers of other hosts are left to
    `remove_dead`.
    """
    here = WorkerBeat.objects.filter(host=socket.gethostname())
    gone = [one.pk for one in here if one.pid == os.getpid() or not _is_running(one.pid)]
    here.filter(pk__in=gone).delete()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def is_known(worker_id: str) -> bool:
    """Whether the worker is still registered. One that is not must not claim anything."""
    return WorkerBeat.objects.filter(pk=worker_id).exists()


def _free() -> Q:
    return Q(lease_owner="") | ~Q(lease_owner__in=WorkerBeat.objects.values("pk"))


def _wanted() -> QuerySet[Session]:
    """Sessions to poll.

    Without those whose copy in the shared folder is unusable: another program may have bound them
    anew.
    """
    wanted = Session.objects.filter(state__in=POLLED_STATES).exclude(encrypted_token="")
    return wanted.exclude(error_code__in=FOLDER_CODES)


def share_sessions(
    worker_id: str, *, limit: int, letting_go: Collection[int] = frozenset()
) -> Held:
    """Claim free sessions up to the worker's fair share, and name those that it holds beyond it.

    `letting_go`: ids of sessions that the worker is giving up already. Claims nothing for a worker
    that was removed. Other workers see a session as held until `release` has freed it.
    """
    with transaction.atomic():
        living = set(WorkerBeat.objects.values_list("pk", flat=True))
        if worker_id not in living:
            return Held([])
        by_owner = _wanted().values_list("lease_owner").annotate(Count("pk")).order_by()
        counts = dict(by_owner)
        mine = _wanted().filter(lease_owner=worker_id).exclude(pk__in=letting_go)
        held = {one: counts.get(one, 0) for one in living} | {worker_id: mine.count()}
        share = min(limit, fair_shares(sum(counts.values()), held)[worker_id])
        if held[worker_id] < share:
            _claim(worker_id, _free(), at_most=share - held[worker_id])
        surplus = mine.order_by("-pk").values_list("pk", flat=True)
        beyond = frozenset(surplus[: max(0, held[worker_id] - share)])
    sessions = _wanted().filter(lease_owner=worker_id).exclude(pk__in=letting_go)
    return Held(list(sessions), beyond)


def claim_all(worker_id: str, *, limit: int) -> Held:
    """Claim sessions leased to others, too.

    Use it while holding the folder's poll lock, which is the lease of all its sessions; the
    heartbeat of the previous holder may still look recent.
    """
    with transaction.atomic():
        held = _wanted().filter(lease_owner=worker_id).count()
        _claim(worker_id, ~Q(lease_owner=worker_id), at_most=max(0, limit - held))
    return Held(list(_wanted().filter(lease_owner=worker_id)))


def _claim(worker_id: str, to_take: Q, *, at_most: int) -> None:
    """Each claim has a higher number, so what an earlier holder still writes can be told from it.

    Locks first: the UPDATE then sees who claimed them meanwhile, and who has just registered.
    """
    free = _wanted().filter(to_take).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(no_key=True, skip_locked=True)
    if chosen := list(free.values_list("pk", flat=True)[:at_most]):
        Session.objects.filter(to_take, pk__in=chosen).update(
            lease_owner=worker_id, lease_number=F("lease_number") + 1
        )


def release(worker_id: str, session_ids: Collection[int]) -> None:
    """Free these sessions for other workers, and wake those. Their polls must have ended."""
    with waking_workers():
        held = Session.objects.filter(lease_owner=worker_id, pk__in=session_ids)
        held.update(lease_owner="")


def claim_logins(worker_id: str) -> list[str]:
    """Claim all free, unfinished login attempts. Returns the ids of those newly claimed."""
    open_attempts = LoginAttempt.objects.filter(_free(), finished_at=None)
    free = list(open_attempts.values_list("pk", flat=True))
    # One conditional update per row: if two workers try, exactly one changes the row.
    return [pk for pk in free if open_attempts.filter(pk=pk).update(lease_owner=worker_id) == 1]


def latest_beat() -> WorkerBeat | None:
    return WorkerBeat.objects.defer("numbers").order_by("-heard_at").first()


def other_hosts(*, besides: str) -> list[str]:
    """Hosts, except `besides`, that have a worker with a heartbeat within `BEAT_TTL_S`."""
    since = timezone.now() - timedelta(seconds=BEAT_TTL_S)
    heard = WorkerBeat.objects.filter(heard_at__gte=since).exclude(host=besides)
    return list(heard.order_by("host").values_list("host", flat=True).distinct())
