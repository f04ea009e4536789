"""The folder's two locks, `.poll.lock` and `.data.lock`. They use flock, tried every 50 ms.

No call blocks in the kernel, because a thread that blocks in flock keeps its process alive. Each
lock is taken with its own descriptor, so that threads of one process exclude each other, too.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

from .disk import FILE_MODE
from .errors import FolderBusyError, NotWrittenError

TRY_EVERY_S = 0.05
POLL_LOCK = ".poll.lock"
DATA_LOCK = ".data.lock"


class StopEvent(Protocol):
    """The part of `threading.Event` that is needed here."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class HeldLock:
    """A lock that is held until `release`. `release` may be called twice and from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def descriptor(self) -> int | None:
        """None after `release`."""
        return self._descriptor

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # closing the last descriptor of an open file description unlocks it
            os.close(descriptor)

    def __enter__(self) -> "HeldLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class FolderLock:
    """One lock file of the base folder. It is created with mode 600 and never deleted."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        try_every_s: float = TRY_EVERY_S,
    ) -> None:
        self.path = path
        self._clock = clock
        self._try_every_s = try_every_s

    def try_take(self) -> HeldLock | None:
        """Take the lock if it is free, else return None.

        Raises NotWrittenError if its file cannot be created.
        """
        try:
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
            )
        except OSError as exc:
            raise self._not_opened(exc) from exc
        if not _try_flock(descriptor):
            os.close(descriptor)
            return None
        if not self._is_still_there(descriptor):
            os.close(descriptor)
            return None
        return HeldLock(descriptor)

    def take(self, *, limit_s: float, stop: StopEvent | None = None) -> HeldLock:
        """Take the lock within `limit_s` seconds.

        Raises FolderBusyError after that, or when `stop` is set.
        """
        give_up_at = self._clock() + limit_s
        while True:
            if stop is not None and stop.is_set():
                raise FolderBusyError("Stopped while waiting for another program.", self.path.name)
            if held := self.try_take():
                return held
            left_s = give_up_at - self._clock()
            if left_s <= 0:
                raise self._timed_out()
            pause_s = min(self._try_every_s, left_s)
            if stop is None:
                time.sleep(pause_s)
            else:
                stop.wait(pause_s)

    @contextlib.contextmanager
    def borrow(self, *, limit_s: float) -> Iterator[None]:
        """Hold the lock if its file exists. If not, nobody holds it, and the file is not created.

        Raises FolderBusyError after `limit_s`, and NotWrittenError if the file cannot be opened.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield
            return
        except OSError as exc:
            raise self._not_opened(exc) from exc
        with HeldLock(descriptor):
            give_up_at = self._clock() + limit_s
            while not _try_flock(descriptor):
                if self._clock() >= give_up_at:
                    raise self._timed_out()
                time.sleep(TRY_EVERY_S)
            yield

    def is_held_by(self, held: HeldLock) -> bool:
        """Whether this lock still guards the file that others will open."""
        descriptor = held.descriptor
        return descriptor is not None and self._is_still_there(descriptor)

    def _not_opened(self, exc: OSError) -> NotWrittenError:
        reason = os.strerror(exc.errno) if exc.errno else "unknown reason"
        name = self.path.name
        return NotWrittenError(f"{name} could not be opened ({reason}).", name)

    def _timed_out(self) -> FolderBusyError:
        sentence = "Another program has held the session folder's lock for too long."
        return FolderBusyError(sentence, self.path.name)

    def _is_still_there(self, descriptor: int) -> bool:
        """Whether the locked file is still the one at the path. It may have been deleted."""
        mine = os.fstat(descriptor)
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _try_flock(descriptor: int) -> bool:
    """Try to lock the descriptor without waiting. Returns whether that succeeded."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
