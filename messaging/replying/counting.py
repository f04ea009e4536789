"""Counts replies that the console did not take, by the code of the reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.conversations.errors import ReplyError
from sessions_app.monitoring import meters


@contextmanager
def counting_refusals() -> Iterator[None]:
    """Count a refusal that leaves the block, once, however many such blocks it leaves."""
    try:
        yield
    except ReplyError as refused:
        if not refused.is_counted:
            refused.is_counted = True
            meters.POSTS_REFUSED.labels(refused.code).inc()
        raise
