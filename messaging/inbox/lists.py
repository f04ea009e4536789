"""What a list of conversations shows and in which order: view, filters and sort. No queries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from messaging.models import Conversation

NOBODY = "-"
"""Instead of an agent: conversations that are assigned to nobody."""


class View(TextChoices):
    MINE = "mine", _("My queue")
    UNASSIGNED = "unassigned", _("Unassigned")
    NEEDS_REPLY = "needs_reply", _("Needs reply")
    NOT_SENT = "not_sent", _("Not sent")
    MISSED = "missed", _("Missed")
    MENTIONS = "mentions", _("Mentions")
    SNOOZED = "snoozed", _("Snoozed")
    RESOLVED = "resolved", _("Resolved")
    ALL = "all", _("Inbox")


class Sort(TextChoices):
    NEWEST = "newest", _("newest first")
    WAITING = "waiting", _("longest waiting first")
    CLOSING = "closing", _("closing soonest")


WAITING_FIRST = (View.MINE, View.UNASSIGNED, View.NEEDS_REPLY)


@dataclass(frozen=True, slots=True)
class Listing:
    """`session`, `label`: names; `agent`: a username or NOBODY; `words`: part of a name or id.

    `status`: used by the API only; people choose a view.
    """

    view: View = View.ALL
    session: str = ""
    label: str = ""
    agent: str = ""
    words: str = ""
    status: str = ""
    chosen_sort: Sort | None = None

    @classmethod
    def parse(cls, query: Mapping[str, Any]) -> "Listing":
        """Invalid values are ignored, so that an old bookmark shows more instead of an error."""

        def text(name: str) -> str:
            return str(query.get(name) or "").replace("\0", "").strip()[:200]

        view, sort = text("view"), text("sort")
        return cls(
            view=View(view) if view in View.values else View.ALL,
            session=text("session"),
            label=text("label"),
            agent=text("agent"),
            words=text("q"),
            chosen_sort=Sort(sort) if sort in Sort.values else None,
        )

    @property
    def sort(self) -> Sort:
        if self.chosen_sort is not None:
            return self.chosen_sort
        return Sort.WAITING if self.view in WAITING_FIRST else Sort.NEWEST

    @property
    def is_filtered(self) -> bool:
        return bool(self.session or self.label or self.agent or self.words)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query parameters. Defaults are left out, so that each list has one URL."""
        usual = replace(self, chosen_sort=None).sort
        parts = {
            "view": "" if self.view is View.ALL else self.view.value,
            "session": self.session,
            "label": self.label,
            "agent": self.agent,
            "q": self.words,
            "sort": "" if self.sort is usual else self.sort.value,
        }
        return [(name, value) for name, value in parts.items() if value]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def suffix(self) -> str:
        """The query string with its question mark, or ""."""
        return f"?{self.query}" if self.query else ""

    def but(self, **changes: Any) -> "Listing":
        return replace(self, **changes)


WAITS = Q(waiting_since__isnull=False, missed_at__isnull=True)
"""The contact has written last, and nobody closed the conversation unanswered."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a sorted list. `field` orders it; ties are ordered by primary key."""

    condition: Q
    field: str
    descending: bool

    @property
    def order(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.field}", f"{sign}id"

    def after(self, moment: datetime, pk: int) -> Q:
        """Rows after this place. The first condition is redundant but lets an index seek."""
        way = "lt" if self.descending else "gt"
        later = Q(**{f"{self.field}__{way}": moment})
        return Q(**{f"{self.field}__{way}e": moment}) & (
            later | Q(**{self.field: moment, f"id__{way}": pk})
        )


def segments(sort: Sort, *, now: datetime) -> list[Segment]:
    """The parts of the list in order. Each row is in exactly one; each is read from an index."""
    match sort:
        case Sort.WAITING:
            waits_not = Q(waiting_since__isnull=True) | Q(missed_at__isnull=False)
            return [
                Segment(WAITS, "waiting_since", descending=False),
                Segment(waits_not, "last_at", descending=True),
            ]
        case Sort.CLOSING:
            closed = Q(closes_at__lte=now) | Q(closes_at__isnull=True)
            return [
                Segment(Q(closes_at__gt=now), "closes_at", descending=False),
                Segment(closed, "last_at", descending=True),
            ]
    return [Segment(Q(), "last_at", descending=True)]


def row_place(row: Conversation, sort: Sort, *, now: datetime) -> tuple[int, datetime]:
    """The index of a row's segment, and the time that sorts it there."""
    if sort is Sort.WAITING and row.waiting_since is not None and row.missed_at is None:
        return 0, row.waiting_since
    if sort is Sort.CLOSING and row.closes_at is not None and row.closes_at > now:
        return 0, row.closes_at
    return (0 if sort is Sort.NEWEST else 1), row.last_at


def row_key(row: Conversation, sort: Sort, *, now: datetime) -> str:
    """A key that sorts rows as the list does, greatest first."""
    number, moment = row_place(row, sort, now=now)
    ticks, pk = int(moment.timestamp() * 1_000_000), row.pk
    if not segments(sort, now=now)[number].descending:
        ticks, pk = 10**17 - ticks, 10**18 - pk
    return f"{9 - number}{ticks:018d}-{pk:019d}"
