"""Which worker polls which session: leases that hold while the worker's beat is heard.

A lease is the worker's name on the row; there is no clock on it. A worker that was not heard for
`BEAT_TTL_S` is removed, its leases are free, and if it lives after all its next beat tells it so.
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
    """Make the worker known. Its id must never have been used before."""
    WorkerBeat.objects.create(worker_id=worker_id, host=socket.gethostname(), pid=os.getpid())


def beat(worker_id: str) -> bool:
    """Say that the worker lives. False: it was declared dead and must let go of everything."""
    now = timezone.now()
    remove_dead(now=now, spare=worker_id)
    return bool(WorkerBeat.objects.filter(pk=worker_id).update(heard_at=now))


def remove_dead(*, now: datetime, spare: str = "") -> None:
    """Forget workers that were not heard; their leases are then free."""
    gone = WorkerBeat.objects.filter(heard_at__lt=now - timedelta(seconds=BEAT_TTL_S))
    gone.exclude(pk=spare).delete()


def retire(worker_id: str) -> None:
    """The last word of a worker that stops: its leases are free at once."""
    WorkerBeat.objects.filter(pk=worker_id).delete()


def retire_all() -> None:
    """For a console that starts: forget workers of this host whose process is gone.

    A poller may live beside it, here or on another host; the dead of other hosts age out.
    """
    here = WorkerBeat.objects.filter(host=socket.gethostname())
    gone = [one.pk for one in here if one.pid == os.getpid() or not _lives(one.pid)]
    here.filter(pk__in=gone).delete()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def is_known(worker_id: str) -> bool:
    """Whether this worker still counts as living; one that does not must claim nothing."""
    return WorkerBeat.objects.filter(pk=worker_id).exists()


def _free() -> Q:
    return Q(lease_owner="") | ~Q(lease_owner__in=WorkerBeat.objects.values("pk"))


def claim_sessions(worker_id: str, *, limit: int, from_all: bool = False) -> list[Session]:
    """Take up to `limit` more free sessions that should be polled; returns all that are held.

    Not those whose copy in the shared folder cannot be used: somebody may have bound them anew.
    `from_all`: leases of others are no hindrance, because we hold the folder's poll lock, which
    is the lease of all its sessions; the last holder's beat may still count as heard.
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
    """Take all free login attempts that are not finished; returns the ids newly taken."""
    open_attempts = LoginAttempt.objects.filter(_free(), finished_at=None)
    free = list(open_attempts.values_list("pk", flat=True))
    # One conditional update each: of two workers exactly one changes the row.
    return [pk for pk in free if open_attempts.filter(pk=pk).update(lease_owner=worker_id) == 1]


def latest_beat() -> WorkerBeat | None:
    return WorkerBeat.objects.order_by("-heard_at").first()


def other_hosts(*, besides: str) -> list[str]:
    """Hosts, without this one, where a worker was heard within `BEAT_TTL_S`."""
    since = timezone.now() - timedelta(seconds=BEAT_TTL_S)
    heard = WorkerBeat.objects.filter(heard_at__gte=since).exclude(host=besides)
    return list(heard.order_by("host").values_list("host", flat=True).distinct())
