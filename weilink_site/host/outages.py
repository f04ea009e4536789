"""Quiet in trouble: while database, Redis or disk are away the log has a line a minute.

Hundreds of loops, pages and sockets meet the same outage, each with a traceback of its own. The
filter lets none of them through; a thread looks once a second whether the part is back. Both live
in every process, so web processes and workers say it alike.
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
"""Raises whatever it meets while the part is away."""


Look = Callable[[], bool]
Watch = Callable[[Look], None]


def watch_in_thread(look: Look) -> None:
    """Look once a second until it is over. The thread keeps no process alive."""

    def watch() -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            if look():
                return

    threading.Thread(target=watch, name="outage", daemon=True).start()


class Outage:
    """One part of what the console stands on, and since when it is away."""

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
        """Somebody met it: the first one begins to watch, the others are counted."""
        with self._lock:
            self._left_out += 1
            is_first = self._since is None
            if is_first:
                self._since = self._clock()
            words = self._due_words(trouble)
        if words:
            logger.error(words)
        if is_first:
            self._start_watch(self.look)

    def look(self) -> bool:
        """Whether it is over. Says it, or that it goes on, when a minute has passed."""
        try:
            self._probe()
        except Exception as error:
            trouble = trouble_of(error) or Trouble(self.part, f"{self.part}: {error}", "")
            with self._lock:
                words = self._due_words(trouble)
            if words:
                logger.error(words)
            return False
        with self._lock:
            seconds, self._since = self._clock() - (self._since or 0.0), None
            was_said, self._is_said, self._left_out = self._is_said, False, 0
        if was_said:
            logger.warning("%s works again, after %.0f s.", self.part, seconds)
        return True

    def _due_words(self, trouble: Trouble) -> str:
        """A minute at least between two lines, also when it comes and goes."""
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
    """For the handler of every log line: what an outage causes becomes the outage's own line."""

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
    """A read on a connection of its own, beside the pages' pool."""
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
    """Data and media can be written, on a disk with room."""
    from django.conf import settings

    from weilink_site.host.disk import try_writing

    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT):
        try_writing(Path(folder))
