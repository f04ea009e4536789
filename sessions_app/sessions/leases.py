"""Leases: which worker polls which session.

A lease is the worker's name on the session's row and has no expiry time of its own. A worker whose
heartbeat is older than `BEAT_TTL_S` is removed, which frees its leases. If it is still alive, its
next `beat` returns False.
"""

import os
import socket
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sessions_app.models import POLLED_STATES, LoginAttempt, Session, WorkerBeat
from sessions_app.models.shared_folder import FOLDER_CODES

BEAT_EVERY_S = 2.0
BEAT_TTL_S = 10.0


def register(worker_id: str) -> None:
    """Register the worker. The id must be new."""
    WorkerBeat.objects.create(worker_id=worker_id, host=socket.gethostname(), pid=os.getpid())


def beat(worker_id: str) -> bool:
    """Record a heartbeat.

    Returns False if the worker was removed; it must then release everything.
    """
    now = timezone.now()
    remove_dead(now=now, spare=worker_id)
    return bool(WorkerBeat.objects.filter(pk=worker_id).update(heard_at=now))


def remove_dead(*, now: datetime, spare: str = "") -> None:
    """Remove workers without a recent heartbeat, except `spare`. Their leases become free."""
    gone = WorkerBeat.objects.filter(heard_at__lt=now - timedelta(seconds=BEAT_TTL_S))
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


def claim_sessions(worker_id: str, *, limit: int, from_all: bool = False) -> list[Session]:
    """Claim up to `limit` more free sessions that should be polled. Returns all sessions held.

    Skips sessions whose copy in the shared folder is unusable: another program may have bound them
    anew. `from_all`: claim sessions leased to others, too. Use it while holding the folder's poll
    lock, which is the lease of all its sessions; the heartbeat of the previous holder may still
    look recent.
    """
    to_take = ~Q(lease_owner=worker_id) if from_all else _free()
    wanted = Session.objects.filter(state__in=POLLED_STATES).exclude(encrypted_token="")
    wanted = wanted.exclude(error_code__in=FOLDER_CODES)
    with transaction.atomic():
        held = wanted.filter(lease_owner=worker_id).count()
        free = wanted.filter(to_take).values_list("pk", flat=True)[: max(0, limit - held)]
        if chosen := list(free):
            Session.objects.filter(to_take, pk__in=chosen).update(lease_owner=worker_id)
    return list(wanted.filter(lease_owner=worker_id))


def claim_logins(worker_id: str) -> list[str]:
    """Claim all free, unfinished login attempts. Returns the ids of those newly claimed."""
    open_attempts = LoginAttempt.objects.filter(_free(), finished_at=None)
    free = list(open_attempts.values_list("pk", flat=True))
    # One conditional update per row: if two workers try, exactly one changes the row.
    return [pk for pk in free if open_attempts.filter(pk=pk).update(lease_owner=worker_id) == 1]


def latest_beat() -> WorkerBeat | None:
    return WorkerBeat.objects.order_by("-heard_at").first()


def other_hosts(*, besides: str) -> list[str]:
    """Hosts, except `besides`, that have a worker with a heartbeat within `BEAT_TTL_S`."""
    since = timezone.now() - timedelta(seconds=BEAT_TTL_S)
    heard = WorkerBeat.objects.filter(heard_at__gte=since).exclude(host=besides)
    return list(heard.order_by("host").values_list("host", flat=True).distinct())
