"""How long the worker waits between two things. Tests hand in shorter pauses."""

from dataclasses import dataclass
from datetime import timedelta

from messaging.delivering import delivery
from messaging.folder_sync import supervisor as folder
from messaging.receiving import poller, recorder
from messaging.receiving import supervisor as polls
from messaging.replying import typing_sign
from messaging.transfers import work as media
from sessions_app.folder.mirror import FREE_FOR_S
from sessions_app.ilink import backoff
from sessions_app.login import driver
from sessions_app.loops.wake_or_sweep import SWEEP_S
from sessions_app.sessions import leases


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds, where the type says nothing else. The defaults are the product's.

    The time limits of a stop are promises, not pauses, so they are not here.
    """

    sweep_s: float = SWEEP_S
    """Between two glances into the database: is there work for any job?"""
    rare_sweep_s: float = 30.0
    """Between two looks of each job for its own work, if no glance and no wake-up told of any."""
    catch_up_s: float = 2.0
    """At a start the first polls come before the first send."""
    settled_within_s: float = 10.0
    """How long a start waits to know who receives for the shared folder."""
    beat_s: float = leases.BEAT_EVERY_S
    lapses_after_s: float = leases.LAPSES_AFTER_S
    """After the last heartbeat that arrived, a worker polls no longer than this."""
    leavers_every_s: float = 5.0
    learn_after_s: float = 60.0
    """Before the database first learns its sizes: a start has more urgent things to write."""
    learn_every_s: float = 3_600.0
    retention_after_s: float = 120.0
    retention_every_s: float = 900.0
    """Between two rounds through what is too old."""
    retention_step_s: float = 1.0
    """Between two of a round's small transactions: they must not be felt."""
    forgetting_every_s: float = 10.0
    """Before a person whom somebody began to forget is looked for: the page does most of it."""
    forgetting_step_s: float = 0.2
    tidy_every_s: float = media.TIDY_EVERY_S
    away_retry_s: float = recorder.AWAY_RETRY_S
    """Before the recorder tries again a database that is away."""
    doubt_s: float = poller.DOUBT_PAUSE_S
    ask_again_s: float = polls.ASK_AGAIN_S
    write_heard_s: float = polls.WRITE_HEARD_S
    retry_s: float = backoff.FIRST_S
    """After the first and the second failed call to WeChat in a row."""
    retry_later_s: float = backoff.LATER_S
    look_back_s: float = delivery.LOOK_BACK_S
    """After a refused reply, before its explanation is looked for again."""
    login_poll_s: float = driver.POLL_PAUSE_S
    """Between two polls of a QR code's status."""
    typing_stop_pauses: tuple[timedelta, ...] = typing_sign.STOP_PAUSES
    folder_look_s: float = folder.LOOK_S
    folder_watch_again_s: float = folder.WATCH_AGAIN_S
    folder_free_for_s: float = FREE_FOR_S
    """How long the shared folder's poll lock must be found free to be taken."""


USUAL = Pauses()
