"""Decides who polls: the folder's poll lock is the lease of all its sessions.

A running SDK releases the lock after every poll and takes it again at once; a script keeps it
between two `recv()`. So we take it only after it was free for a while, and then hold it.
"""

import time
from collections.abc import Callable
from pathlib import Path

from sessions_app.folder.store import FolderError, FolderLock, HeldLock
from sessions_app.models import Receiver

FREE_FOR_S = 4.0


class PollLease:
    """`look(wants)` is called from one thread, twice a second. It never waits."""

    def __init__(
        self,
        path: Path,
        *,
        free_for_s: float = FREE_FOR_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = FolderLock(path)
        self._free_for_s = free_for_s
        self._clock = clock
        self._held: HeldLock | None = None
        self._free_since: float | None = None

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def look(self, *, wants: bool, at_once: bool = False) -> Receiver:
        """Who holds the lock now; takes it if due.

        `at_once`: it was ours until a crash, so take it without waiting.
        """
        if self._held is not None:
            if self._lock.is_held_by(self._held):
                return Receiver.CONSOLE
            self.release()  # the folder was deleted while we held the lock
        try:
            taken = self._lock.try_take()
        except FolderError:
            return Receiver.NOBODY
        if taken is None:
            self._free_since = None
            return Receiver.ANOTHER
        now = self._clock()
        if self._free_since is None:
            self._free_since = now
        if wants and (at_once or now - self._free_since >= self._free_for_s):
            self._held = taken
            return Receiver.CONSOLE
        taken.release()
        return Receiver.NOBODY

    def release(self) -> None:
        held, self._held, self._free_since = self._held, None, None
        if held is not None:
            held.release()
