"""How many conversations each list has: bounded, so that a count costs the same at any size.

The numbers that all readers of the same teams share are apart from a reader's own, since the
websocket's hub counts the former once for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from messaging.conversations.access import conversations_of
from messaging.inbox.list_queries import matching
from messaging.inbox.lists import Listing, View
from messaging.models import Conversation
from sessions_app.people.roles import Visitor

COUNT_UP_TO = 9_999
"""Counts stop here, so that a view's number costs the same at any size."""

COUNT_FILTERED_UP_TO = 199
"""A lower limit with filters, since each counted row may cost many that are read."""


def count(user: Visitor, listing: Listing, *, now: datetime, up_to: int | None = None) -> int:
    """Number of rows in the list; with `up_to`, counting stops at `up_to + 1`."""
    rows = matching(user, listing, now=now)
    return rows.count() if up_to is None else rows.values("pk")[: up_to + 1].count()


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of conversations, each at most `COUNT_UP_TO` + 1.

    `waiting`: those that need a reply and are assigned to the reader or to nobody; `unread`: those
    with messages that no agent has seen.
    """

    views: Mapping[View, int]
    waiting: int
    unread: int


PERSONAL = (View.MINE, View.MENTIONS)
"""Views whose numbers differ between the members of a team."""


@dataclass(frozen=True, slots=True)
class TeamCounts:
    """Counts that all readers of the same teams share. `nobodys`: need a reply, unassigned."""

    views: Mapping[View, int]
    nobodys: int
    unread: int


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """One reader's own counts. `mine`: need a reply and are assigned to the reader."""

    views: Mapping[View, int]
    mine: int


def counts(user: Visitor, *, now: datetime) -> Counts:
    """Counts without filters: one bounded index scan each, all in one statement."""
    waiting = matching(user, Listing(View.NEEDS_REPLY), now=now)
    team, own = _team_lists(user, waiting, now), _own_lists(user, waiting, now)
    numbers = _bounded([*team.values(), *own.values()])
    shared = _team_counts(team, numbers[: len(team)])
    return joined(shared, _own_counts(own, numbers[len(team) :]))


def team_counts(user: Visitor, *, now: datetime) -> TeamCounts:
    """The counts that do not depend on who of the teams reads them. One statement."""
    lists = _team_lists(user, matching(user, Listing(View.NEEDS_REPLY), now=now), now)
    return _team_counts(lists, _bounded(list(lists.values())))


def own_counts(user: Visitor, *, now: datetime) -> OwnCounts:
    """The counts of this reader's own lists. One statement."""
    lists = _own_lists(user, matching(user, Listing(View.NEEDS_REPLY), now=now), now)
    return _own_counts(lists, _bounded(list(lists.values())))


def joined(team: TeamCounts, own: OwnCounts) -> Counts:
    """`waiting` stops, as the others do, at one more than is counted."""
    waiting = min(team.nobodys + own.mine, COUNT_UP_TO + 1)
    return Counts({**team.views, **own.views}, waiting, team.unread)


_Lists = dict[View | str, QuerySet[Conversation]]


def _team_lists(user: Visitor, waiting: QuerySet[Conversation], now: datetime) -> _Lists:
    """`waiting`: the view of those that need a reply; to build it takes a query."""
    lists: _Lists = {View.NEEDS_REPLY: waiting}
    for view in View:
        if view not in (View.NEEDS_REPLY, *PERSONAL):
            lists[view] = matching(user, Listing(view), now=now)
    lists["nobodys"] = waiting.filter(assignee=None)
    lists["unread"] = conversations_of(user).filter(unread__gt=0)
    return lists


def _own_lists(user: Visitor, waiting: QuerySet[Conversation], now: datetime) -> _Lists:
    lists: _Lists = {view: matching(user, Listing(view), now=now) for view in PERSONAL}
    lists["own_waiting"] = waiting.filter(assignee=user.pk)
    return lists


def _team_counts(lists: _Lists, numbers: Sequence[int]) -> TeamCounts:
    by_name = dict(zip(lists, numbers, strict=True))
    nobodys, unread = by_name.pop("nobodys"), by_name.pop("unread")
    return TeamCounts(_by_view(by_name), nobodys, unread)


def _own_counts(lists: _Lists, numbers: Sequence[int]) -> OwnCounts:
    by_name = dict(zip(lists, numbers, strict=True))
    mine = by_name.pop("own_waiting")
    return OwnCounts(_by_view(by_name), mine)


def _by_view(numbers: Mapping[View | str, int]) -> dict[View, int]:
    return {View(name): number for name, number in numbers.items()}


def _bounded(lists: Sequence[QuerySet[Conversation]]) -> list[int]:
    """Number of rows in each list, up to `COUNT_UP_TO` + 1."""
    parts, values = [], list[Any]()
    for number, rows in enumerate(lists):
        keys = rows.order_by().values("pk")[: COUNT_UP_TO + 1]
        try:
            statement, given = keys.query.sql_with_params()
        except EmptyResultSet:  # a user without a team
            return [0] * len(lists)
        # The statements are Django's; their values are passed separately.
        parts.append(f"(SELECT COUNT(*) FROM ({statement}) AS list_{number})")  # noqa: S608
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return list(cursor.fetchone())
