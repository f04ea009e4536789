"""What the database knows at this moment: sessions, polls, leases, workers, outbox, files.

Counted at each scrape by five statements, each answered from an index or from one row per session.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from messaging.models import Attachment, Message, MessageStatus
from sessions_app.models import POLLED_STATES, Session, SessionState, WorkerBeat
from sessions_app.monitoring import snapshots
from sessions_app.sessions import health, leases

POLL_AGES_S = (10, 20, 40, 60, 90, 180, 600, 3600)
"""Upper ends of the buckets. A healthy session is below 90: a poll lasts up to 35 s, and its time
is written up to 40 s later."""


# Conditions of the partial indexes, word for word: with values as parameters SQLite would read the
# whole table.
_UNDER_WAY = f"{Message._meta.db_table}.status IN ('queued', 'sending')"
_TO_FETCH = f"{Attachment._meta.db_table}.state IN ('remote', 'fetching')"


@dataclass(frozen=True, slots=True)
class Counted:
    """`families`: of the database itself. `workers`: process → what that worker has counted."""

    families: list[Metric]
    workers: dict[str, list[Metric]]


def count(now: datetime) -> Counted:
    """Raises DatabaseError if the database is away."""
    beats = list(WorkerBeat.objects.order_by("started_at"))
    alive = [one for one in beats if one.heard_at > now - timedelta(seconds=leases.BEAT_TTL_S)]
    own = snapshots.process_name()
    workers = {
        snapshots.process_name(one.host, one.pid): snapshots.unpacked(bytes(one.numbers))
        for one in alive
    }
    workers.pop(own, None)  # the page has newer numbers of its own process
    columns = {*health.COLUMNS, "lease_owner", "encrypted_token"}
    sessions = list(Session.objects.only(*columns))
    return Counted([*_sessions(sessions, alive, now), *_beats(alive, now), *_waiting(now)], workers)


def _sessions(
    sessions: Iterable[Session], alive: Iterable[WorkerBeat], now: datetime
) -> Iterable[Metric]:
    states: Counter[str] = Counter()
    leased: Counter[str] = Counter()
    ages: list[float] = []
    free = 0
    names = {one.worker_id: snapshots.process_name(one.host, one.pid) for one in alive}
    for one in sessions:
        state = health.health_of(one, now=now).state
        states[state.value] += 1
        if one.state not in POLLED_STATES or not one.encrypted_token:
            continue
        ages.append(max(0.0, (now - (one.last_poll_at or one.state_since)).total_seconds()))
        if one.lease_owner in names:
            leased[names[one.lease_owner]] += 1
        else:
            free += 1
    by_state = GaugeMetricFamily(
        "weilink_sessions", "Sessions (accounts) by their state.", labels=["state"]
    )
    for state in SessionState:
        by_state.add_metric([state.value], states[state.value])
    by_worker = GaugeMetricFamily(
        "weilink_leases", "Sessions that a living worker has leased.", labels=["worker"]
    )
    for name in names.values():
        by_worker.add_metric([name], leased[name])
    return [
        by_state,
        _poll_ages(ages),
        by_worker,
        GaugeMetricFamily(
            "weilink_sessions_without_worker",
            "Sessions that should be polled and that no living worker has leased.",
            value=free,
        ),
    ]


def _poll_ages(ages: list[float]) -> Metric:
    found = GaugeHistogramMetricFamily(
        "weilink_poll_age_seconds",
        "Sessions that should be polled, by the seconds since WeChat last answered a poll.",
    )
    buckets = [(str(float(end)), sum(age <= end for age in ages)) for end in POLL_AGES_S]
    found.add_metric([], [*buckets, ("+Inf", len(ages))], sum(ages))
    return found


def _beats(alive: list[WorkerBeat], now: datetime) -> Iterable[Metric]:
    ages = [max(0.0, (now - one.heard_at).total_seconds()) for one in alive]
    yield GaugeMetricFamily("weilink_workers", "Workers that live.", value=len(alive))
    oldest = GaugeMetricFamily(
        "weilink_worker_beat_age_seconds",
        "Seconds since the heartbeat of a living worker, the longest of all.",
    )
    if ages:
        oldest.add_metric([], max(ages))
    yield oldest


def _waiting(now: datetime) -> Iterable[Metric]:
    """Each count reads a partial index that holds only what is under way."""
    before = Message.objects.filter(
        conversation=OuterRef("conversation"), id__lt=OuterRef("id"), holds_queue=True
    )
    under_way = Message.objects.extra(where=[_UNDER_WAY])  # noqa: S610
    rows = (
        under_way.order_by()
        .annotate(is_held=Exists(before))
        .values_list("status", "is_held")
        .annotate(count=Count("id"), oldest=Min("created_at"))
    )
    depth = dict.fromkeys(("queued", "held", "sending"), 0)
    age = dict.fromkeys(depth, 0.0)
    for status, is_held, count, oldest in rows:
        state = "held" if status == MessageStatus.QUEUED and is_held else str(status)
        depth[state] += count
        age[state] = max(age[state], (now - oldest).total_seconds())
    depths = GaugeMetricFamily(
        "weilink_outbox_messages", "Replies that are not sent yet, by state.", labels=["state"]
    )
    ages = GaugeMetricFamily(
        "weilink_outbox_oldest_seconds",
        "Age in seconds of the oldest reply that is not sent yet, by state; 0 without one.",
        labels=["state"],
    )
    for state, number in depth.items():
        depths.add_metric([state], number)
        ages.add_metric([state], age[state])
    files = Attachment.objects.extra(where=[_TO_FETCH])  # noqa: S610
    return [
        depths,
        ages,
        GaugeMetricFamily(
            "weilink_replies_undecided",
            "Failed or unconfirmed replies that hold others until a member decides.",
            value=Message.objects.filter(holds_queue=True).count(),
        ),
        GaugeMetricFamily(
            "weilink_files_waiting",
            "Files of received messages that are still to be downloaded.",
            value=files.count(),
        ),
    ]
