"""Limits logging during outages of database, Redis or disk to one line a minute.

Hundreds of loops, pages and sockets meet the same outage, each with its own traceback. The filter
drops these records, and a thread probes once a second whether the part works again. Every process
has both, so web processes and workers log alike.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sessions_app.database.troubles import Part, Trouble, trouble_of

logger = logging.getLogger(__name__)

SAY_EVERY_S = 60.0
LOOK_EVERY_S = 1.0

Probe = Callable[[], None]
"""Raises an error while the part is away."""


Look = Callable[[], bool]
Watch = Callable[[Look], None]


def watch_in_thread(look: Look) -> None:
    """Call `look` once a second until it returns True.

    The thread does not keep the process alive.
    """

    def watch() -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            if look():
                return

    threading.Thread(target=watch, name="outage", daemon=True).start()


class Outage:
    """The outage state of one part that the console needs."""

    def __init__(self, part: Part, probe: Probe, clock: Callable[[], float], watch: Watch) -> None:
        self.part = part
        self._probe = probe
        self._clock = clock
        self._start_watch = watch
        self._lock = threading.Lock()
        self._since: float | None = None
        self._said_at: float | None = None
        self._is_said = False
        self._left_out = 0

    def meet(self, trouble: Trouble) -> None:
        """Report an error. The first one starts the watch; the others are only counted."""
        with self._lock:
            self._left_out += 1
            is_first = self._since is None
            if is_first:
                self._since = self._clock()
            words = self._next_log_line(trouble)
        if words:
            logger.error(words)
        if is_first:
            self._start_watch(self.look)

    def look(self) -> bool:
        """Probe the part.

        Returns True if it works again. Logs that, or once a minute that it does not.
        """
        try:
            self._probe()
        except Exception as error:
            trouble = trouble_of(error) or Trouble(self.part, f"{self.part}: {error}", "")
            with self._lock:
                words = self._next_log_line(trouble)
            if words:
                logger.error(words)
            return False
        with self._lock:
            seconds, self._since = self._clock() - (self._since or 0.0), None
            was_said, self._is_said, self._left_out = self._is_said, False, 0
        if was_said:
            logger.warning("%s works again, after %.0f s.", self.part, seconds)
        return True

    def _next_log_line(self, trouble: Trouble) -> str:
        """The next log line, or "".

        Lines are at least a minute apart, even if the outage comes and goes.
        """
        now = self._clock()
        if self._said_at is not None and now - self._said_at < SAY_EVERY_S:
            return ""
        left_out, self._left_out = self._left_out, 0
        since = self._since if self._since is not None else now
        self._said_at, was_said, self._is_said = now, self._is_said, True
        if not was_said:
            return f"{trouble.sentence} Until it works again this is said once a minute."
        return f"{trouble.reason}, for {now - since:.0f} s now ({left_out} failures left out)."


class OutageFilter(logging.Filter):
    """For the handler of all log records.

    Replaces those caused by an outage by the outage's own line.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, watch: Watch = watch_in_thread
    ) -> None:
        super().__init__()
        probes: dict[Part, Probe] = {
            Part.DATABASE: ask_database,
            Part.REDIS: ask_redis,
            Part.DISK: ask_disk,
        }
        self.outages = {part: Outage(part, probe, clock, watch) for part, probe in probes.items()}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        trouble = trouble_of(error) if error is not None else None
        if trouble is None or not trouble.may_pass:
            return True
        self.outages[trouble.part].meet(trouble)
        return False


def ask_database() -> None:
    """Read on a connection of its own, not from the pool of the pages."""
    from django.db import connection, connections

    from sessions_app.database.database_thread import take_own_connection

    take_own_connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connections.close_all()


def ask_redis() -> None:
    import redis
    from django.conf import settings

    if settings.REDIS_URL:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2
        ) as client:
            client.ping()


def ask_disk() -> None:
    """Check that data and media can be written and that the disk has space."""
    from django.conf import settings

    from weilink_site.host.disk import try_writing

    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT):
        try_writing(Path(folder))
