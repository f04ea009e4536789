"""The folder's two locks, `.poll.lock` and `.data.lock`: flock, tried every 50 ms, never waited in.

A thread that blocks in flock keeps its process alive, so no call here blocks in the kernel. Every
take has a descriptor of its own, so that threads of one process exclude each other too.
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
    """What a `threading.Event` can do."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class HeldLock:
    """A lock that is held until `release`, which may be called twice and from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def descriptor(self) -> int | None:
        """None once it was released."""
        return self._descriptor

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)  # the last descriptor of an open file description unlocks it

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
    """One lock file of the base folder; it is made, mode 600, and never deleted."""

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
        """The lock if nobody has it. NotWrittenError when its file cannot be made."""
        try:
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
            )
        except OSError as exc:
            raise self._not_opened(exc) from exc
        if not _is_taken(descriptor):
            os.close(descriptor)
            return None
        if not self._is_still_there(descriptor):
            os.close(descriptor)
            return None
        return HeldLock(descriptor)

    def take(self, *, limit_s: float, stop: StopEvent | None = None) -> HeldLock:
        """The lock, within `limit_s` seconds and before `stop` is set; else FolderBusyError."""
        give_up_at = self._clock() + limit_s
        while True:
            if stop is not None and stop.is_set():
                raise FolderBusyError("Stopped while waiting for another program.", self.path.name)
            if held := self.try_take():
                return held
            left_s = give_up_at - self._clock()
            if left_s <= 0:
                raise self._too_long()
            pause_s = min(self._try_every_s, left_s)
            if stop is None:
                time.sleep(pause_s)
            else:
                stop.wait(pause_s)

    @contextlib.contextmanager
    def borrow(self, *, limit_s: float) -> Iterator[None]:
        """Hold it if its file is there; one that is not there is nobody's, and none is made.

        FolderBusyError after `limit_s`, NotWrittenError when it may not be opened.
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
            while not _is_taken(descriptor):
                if self._clock() >= give_up_at:
                    raise self._too_long()
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

    def _too_long(self) -> FolderBusyError:
        sentence = "Another program has held the session folder's lock for too long."
        return FolderBusyError(sentence, self.path.name)

    def _is_still_there(self, descriptor: int) -> bool:
        """Whether the file we locked is the one that others will open: it may have been deleted."""
        mine = os.fstat(descriptor)
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _is_taken(descriptor: int) -> bool:
    """Whether it is ours now; never waits."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
