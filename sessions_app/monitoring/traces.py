"""Trace ids: one follows a message from a poll to the page, one a reply from its post to WeChat.

The id of the work at hand lies in a context variable. Tasks and database threads take it along, a
hint carries it to other processes, and an outgoing message keeps it in its row until it is sent.
`step` writes one line for each step of a way; they contain ids and numbers, nothing else.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from structlog.contextvars import bound_contextvars, get_contextvars

from sessions_app.monitoring import meters

WAY_LOGGER = "weilink.way"
"""Silent with WEILINK_LOG_FORMAT=text, unless LOG_LEVEL is DEBUG: it writes for every message."""
MOST_TRACES = 200
"""Carried by one hint; a backlog may bring more messages than anybody looks up."""
MOST_CHARACTERS = 32

Result = TypeVar("Result")

logger = logging.getLogger(WAY_LOGGER)


@dataclass(frozen=True, slots=True)
class Trace:
    """An id, and when the work began in seconds since 1970; 0.0 if nobody measures it."""

    id: str
    began_at: float = 0.0


def new_id() -> str:
    """16 hexadecimal digits."""
    return secrets.token_hex(8)


def current_id() -> str:
    """The id of the work at hand, or ""."""
    return str(get_contextvars().get("trace_id", ""))


@contextmanager
def tracing(trace_id: str) -> Iterator[None]:
    """Give the work inside the `with` block this id. "" leaves it as it is."""
    if not trace_id:
        yield
        return
    with bound_contextvars(trace_id=trace_id):
        yield


def run(trace_id: str, function: Callable[[], Result]) -> Result:
    """Call the function with this id, in a thread that has none of its own."""
    with tracing(trace_id):
        return function()


def step(event: str, **ids: object) -> None:
    """Write one step of a way. `ids`: ids and numbers alone; see `logs.IDS` for their names."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(event, extra=ids)


def is_written() -> bool:
    """Whether steps are written at all, for callers that would have to collect ids first."""
    return logger.isEnabledFor(logging.INFO)


def as_sent(traces: list[Trace]) -> list[list[str | float]]:
    """What a hint carries."""
    return [[one.id, one.began_at] for one in traces[:MOST_TRACES]]


def as_heard(sent: object) -> list[Trace]:
    """What `as_sent` wrote, perhaps in a process of another release."""
    try:
        return [
            Trace(str(name)[:MOST_CHARACTERS], float(began_at))
            for name, began_at in sent  # type: ignore[attr-defined]
        ]
    except (TypeError, ValueError):
        return []


def shown(
    traces: list[Trace], *, stream: str, from_number: int, to_number: int, pages: int
) -> None:
    """Frames of this stream were sent to so many open pages of this process."""
    now = time.time()
    for one in traces:
        if one.began_at:
            meters.WECHAT_TO_PAGE.observe(max(0.0, now - one.began_at))
        step(
            "frame sent",
            trace_id=one.id,
            stream=stream,
            from_number=from_number,
            to_number=to_number,
            pages=pages,
        )
