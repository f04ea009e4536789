"""Counts what is under way, and hands out turns fairly. Knows neither requests nor Django.

Used in one event loop, so nothing here is locked.
"""

import asyncio
from collections import Counter, OrderedDict, deque

Waiting = deque["asyncio.Future[None]"]


class Full(Exception):  # noqa: N818 - a statement
    """No place is free. `is_caller`: this caller has taken all of its own."""

    def __init__(self, *, is_caller: bool) -> None:
        super().__init__("the caller has too many" if is_caller else "there are too many")
        self.is_caller = is_caller


class Places:
    """So many for each caller and in all. Never waits."""

    def __init__(self) -> None:
        self.taken = 0
        self.callers: Counter[str] = Counter()

    def take(self, caller: str, amount: int = 1, *, each: int, in_all: int) -> None:
        """Raises Full. Who has none yet gets the first one whatever its amount."""
        its = self.callers[caller]
        if its and its + amount > each:
            raise Full(is_caller=True)
        if self.taken and self.taken + amount > in_all:
            self._forget_if_none(caller)
            raise Full(is_caller=False)
        self.callers[caller] += amount
        self.taken += amount

    def give_back(self, caller: str, amount: int = 1) -> None:
        self.callers[caller] -= amount
        self.taken -= amount
        self._forget_if_none(caller)

    def _forget_if_none(self, caller: str) -> None:
        if not self.callers[caller]:
            del self.callers[caller]


class Turns:
    """Lets so many run at once, of each caller and in all; the others wait.

    A turn that becomes free goes to the next caller, not to the next request: whoever has many
    waiting does not delay those who have one.
    """

    def __init__(self, *, each: int, in_all: int) -> None:
        self.each, self.in_all = each, in_all
        self.taken = 0
        self.callers: Counter[str] = Counter()
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    async def take(self, caller: str) -> None:
        if caller not in self._waiting and self._may_run(caller):
            self._run(caller)
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back(caller)  # it came in the same moment
            else:
                self._remove(caller, future)
            raise

    def give_back(self, caller: str) -> None:
        self.taken -= 1
        self.callers[caller] -= 1
        if not self.callers[caller]:
            del self.callers[caller]
        self._pass_on()

    @property
    def waiting(self) -> int:
        return sum(len(futures) for futures in self._waiting.values())

    def _may_run(self, caller: str) -> bool:
        return self.taken < self.in_all and self.callers.get(caller, 0) < self.each

    def _run(self, caller: str) -> None:
        self.taken += 1
        self.callers[caller] += 1

    def _pass_on(self) -> None:
        while caller := next((one for one in self._waiting if self._may_run(one)), None):
            future = self._waiting[caller].popleft()
            if self._waiting[caller]:
                self._waiting.move_to_end(caller)
            else:
                del self._waiting[caller]
            if not future.done():
                self._run(caller)
                future.set_result(None)

    def _remove(self, caller: str, future: "asyncio.Future[None]") -> None:
        futures = self._waiting.get(caller)
        if futures is not None and future in futures:
            futures.remove(future)
            if not futures:
                del self._waiting[caller]
