"""What one act announces: the numbers that it uses and the hints that it sends, by stream."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.test import TestCase

from sessions_app.models import Stream
from sessions_app.realtime.streams import HINT


@dataclass
class Announced:
    """Streams of teams and people alone: the others number rows and are announced to nobody."""

    numbers: Counter[str] = field(default_factory=Counter)
    hints: Counter[str] = field(default_factory=Counter)
    topics: set[str] = field(default_factory=set)


@contextmanager
def announced() -> Iterator[Announced]:
    """Filled when the block ends. Hints are counted, not sent."""
    seen = Announced()
    before = _numbers()
    with TestCase.captureOnCommitCallbacks() as callbacks:
        yield seen
    seen.numbers = _numbers() - before
    messages = [getattr(one, "message", {}) for one in callbacks]
    for hint in (one for one in messages if one.get("type") == HINT):
        seen.hints.update(hint["streams"].keys())
        seen.topics.update(hint["about"])


def _numbers() -> Counter[str]:
    found = Stream.objects.filter(pk__contains=":").values_list("pk", "last_number")
    return Counter(dict(found))
