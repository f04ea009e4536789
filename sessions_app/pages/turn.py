"""The turn of the request at hand: only so many requests run at once, and the others wait.

A request that waits on purpose gives its turn back meanwhile. Who hands out turns is not known
here; without anybody who does (tests, commands), `resting` does nothing.
"""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Turn(Protocol):
    """A request's right to run. Used in the event loop alone."""

    def give_back(self) -> None: ...

    async def take(self) -> None: ...

    def keep_until(self, work: "Future[Any]") -> None: ...


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def having(turn: Turn) -> Iterator[None]:
    """What runs inside the `with` block runs in this turn."""
    token = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(token)


@asynccontextmanager
async def resting() -> AsyncIterator[None]:
    """Give the turn back for the block, and wait for the next one after it.

    After an exception no turn is taken: the request is about to end.
    """
    turn = _turn.get()
    if turn is not None:
        turn.give_back()
    yield
    if turn is not None:
        await turn.take()


def keep_until(work: "Future[Any]") -> None:
    """If the request is cancelled, its turn ends with this work: the last that its thread does."""
    turn = _turn.get()
    if turn is not None:
        turn.keep_until(work)
