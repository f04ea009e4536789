"""What the hub asks of the inbox: frames of a team's changes, counts, and the pulse."""

import json
import time
from collections.abc import Collection, Sequence
from zlib import crc32

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone

from messaging.conversations.rows import CONVERSATION_TOPIC, QUEUE_TOPIC
from messaging.inbox import list_counts
from messaging.inbox.lists import Listing
from messaging.inbox.views.rows import most_counted, number_words
from messaging.push.changed import load
from messaging.push.counting import Counting
from messaging.push.drawing import Manner, drawn_in
from sessions_app.board.queries import worker
from sessions_app.models import Session
from sessions_app.realtime.frames import Loaded, Reader, Span
from sessions_app.sessions import health
from sessions_app.sessions.health import health_of
from sessions_app.sessions.services import HEARD_TOPIC

HEALTH_EVERY_S = 20.0
"""How often the health of all sessions is read: it changes with the time alone."""


class InboxContent:
    """Stateful: one for each hub. Its methods run in the hub's database thread."""

    def __init__(self) -> None:
        self._counting = Counting()
        self._health, self._health_at = "", float("-inf")

    def load(self, span: Span, readers: Collection[Reader]) -> Loaded | None:
        name, _, number = span.key.partition(":")
        if name == "user":
            self._counting.own_moved([int(number)])
            return None
        self._counting.team_moved(int(number))
        topics, found = _Topics(span.about), None
        try:
            if readers and not topics.others:
                found = load(span, int(number), topics.conversations)
        finally:
            if found is None:  # nobody knows whose own numbers moved
                self._counting.forget()
        if found is not None:
            self._counting.own_moved(topics.queues | found.assignees)
        return found

    def counts(self, readers: Sequence[Reader]) -> list[str | None]:
        filtered: dict[tuple[object, ...], int] = {}
        return [self._counts(reader, filtered) for reader in readers]

    def pulse(self) -> str:
        """Whether a worker lives, and how the accounts are."""
        if time.monotonic() - self._health_at > HEALTH_EVERY_S:
            self._health_at, self._health = time.monotonic(), _health_of_all()
        return f"{worker().alive}/{self._health}"

    def _counts(self, reader: Reader, filtered: dict[tuple[object, ...], int]) -> str | None:
        """`list`: how long the shown list is, as the page shows it."""
        if not reader.may_read:
            return None
        counts = self._counting.counts(reader.user, reader.teams)
        frame: dict[str, object] = {
            "type": "counts",
            "views": {view.value: number_words(count) for view, count in counts.views.items()},
            "unread": bool(counts.unread),
            "waiting": number_words(counts.waiting) if reader.may_answer else "",
        }
        if reader.shown.kind == "inbox":
            listing = Listing.parse(QueryDict(reader.shown.query))
            count = _list_count(reader, listing, counts, filtered)
            frame |= {
                "list": reader.shown.query,
                "length": _length(Manner.of(reader), listing, count),
            }
        return json.dumps(frame, ensure_ascii=False)


def _list_count(
    reader: Reader,
    listing: Listing,
    counts: list_counts.Counts,
    filtered: dict[tuple[object, ...], int],
) -> int:
    if not listing.is_filtered:
        return counts.views[listing.view]
    is_own = listing.view in list_counts.PERSONAL
    key = (listing, reader.teams, reader.user.pk if is_own else None)
    if key not in filtered:
        most = most_counted(listing)
        now = timezone.now()
        filtered[key] = list_counts.count(reader.user, listing, now=now, up_to=most)
    return filtered[key]


def _length(manner: Manner, listing: Listing, count: int) -> str:
    with drawn_in(manner):
        context = {"list_count": count, "most": most_counted(listing)}
        return render_to_string("inbox/_list_count.html", context).strip()


class _Topics:
    """What a span is about. `others`: something that only an answer to the page can show."""

    def __init__(self, about: Collection[str]) -> None:
        self.conversations = _ids(about, CONVERSATION_TOPIC)
        self.queues = _ids(about, QUEUE_TOPIC)
        self.others = [
            topic
            for topic in about
            if not topic.startswith((CONVERSATION_TOPIC, QUEUE_TOPIC, HEARD_TOPIC))
        ]


def _ids(about: Collection[str], beginning: str) -> set[int]:
    return {int(topic.removeprefix(beginning)) for topic in about if topic.startswith(beginning)}


def _health_of_all() -> str:
    """A value that changes when the rail shows an account otherwise."""
    now = timezone.now()
    rows = Session.objects.filter(deleted_at=None).only(*health.COLUMNS).order_by("pk")
    seen = [(one.pk, found.state, found.code) for one in rows if (found := health_of(one, now=now))]
    return f"{crc32(repr(seen).encode()):x}"
