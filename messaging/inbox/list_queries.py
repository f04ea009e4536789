"""All queries of the list: pages of rows, counts, changes, and values to filter by."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet

from messaging.composing.drafts import begun
from messaging.conversations.access import conversations_of
from messaging.conversations.presence import present_in
from messaging.inbox.list_conditions import condition
from messaging.inbox.lists import NOBODY, Listing, Segment, Sort, row_place, segments
from messaging.models import (
    Contact,
    Conversation,
    Departure,
    Label,
    ParkedReply,
    ParkedState,
    Removal,
    TeamContact,
)
from messaging.replying.queries import Held, held_counts
from sessions_app.models import Session, Team, User
from sessions_app.people.roles import Visitor, answerers_of, team_ids_of
from sessions_app.realtime.numbers import changed_since

ASKED_FOR = 500
"""Labels are looked up for at most this many conversations."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """One page of the list. `next`: opaque cursor of the next page, None at the end."""

    rows: list[Conversation]
    next: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the segment of the list and the last row in it."""

    segment: int
    moment: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.segment}~{self.moment.isoformat()}~{self.pk}"


def conversation_page(
    user: Visitor,
    listing: Listing,
    *,
    now: datetime,
    before: str | None = None,
    limit: int = 50,
) -> ConversationPage:
    """The first page, or the page after `before`, which is a `next` of an earlier page."""
    place = parse_place(before or "")
    wanted, found = condition(listing, user, now=now), list[Conversation]()
    for number, segment in enumerate(segments(listing.sort, now=now)):
        if place is not None and number < place.segment:
            continue
        rows = Conversation.objects.filter(wanted & segment.condition)
        if place is not None and number == place.segment:
            rows = rows.filter(segment.after(place.moment, place.pk))
        head = _head_by_team if _spans_teams(listing, segment) else _head_in_one
        found += head(user, rows, segment, limit + 1 - len(found))
        if len(found) > limit:
            break
    page = found[:limit]
    more = len(found) > limit
    return ConversationPage(page, str(place_of(page[-1], listing.sort, now=now)) if more else None)


def _spans_teams(listing: Listing, segment: Segment) -> bool:
    """False for one account or agent sorted by time: an index covers all teams in that order."""
    is_narrow = listing.session or listing.agent not in ("", NOBODY)
    return not (is_narrow and segment.field == "last_at")


def _head_in_one(
    user: Visitor, rows: QuerySet[Conversation], segment: Segment, limit: int
) -> list[Conversation]:
    rows = rows.filter(team__in=team_ids_of(user))
    return list(whole_rows(rows).order_by(*segment.order)[:limit])


def _head_by_team(
    user: Visitor, rows: QuerySet[Conversation], segment: Segment, limit: int
) -> list[Conversation]:
    """The first rows of a segment.

    With several teams, it reads the first rows of each and merges them. An index is sorted within
    one team only, and sorting all rows of all teams would be too slow for a large list.
    """
    teams = team_ids_of(user)
    if len(teams) == 1:
        rows = rows.filter(team=teams[0])
    else:
        heads = [rows.filter(team=team).order_by(*segment.order)[:limit] for team in teams]
        rows = Conversation.objects.filter(pk__in=_keys_of(heads))
    return list(whole_rows(rows).order_by(*segment.order)[:limit])


def _keys_of(heads: Sequence[QuerySet[Conversation]]) -> list[int]:
    """Primary keys of several short lists, in one statement."""
    parts, values = [], list[Any]()
    for number, head in enumerate(heads):
        try:
            statement, given = head.values("pk").query.sql_with_params()
        except EmptyResultSet:  # a filter that matches nothing
            continue
        # The statements are Django's; their values are passed separately.
        parts.append(f"SELECT * FROM ({statement}) AS head_{number}")  # noqa: S608
        values += given
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return [key for (key,) in cursor.fetchall()]


def whole_rows(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Load all that a row shows: two queries for any number of rows."""
    rows = rows.select_related("contact", "team_contact", "session", "team", "assignee")
    return rows.prefetch_related("labels").only(*_SEEN)


UNSEEN = {
    "session__encrypted_token", "session__cursor", "session__base_url", "assignee__password",
    "team_contact__note",
}  # fmt: skip
"""Columns that no list needs; some are long."""
_BESIDE = {
    "contact__": Contact, "team_contact__": TeamContact, "session__": Session, "team__": Team,
    "assignee__": User,
}  # fmt: skip
_SEEN = [
    f"{place}{field.name}"
    for place, model in ({"": Conversation} | _BESIDE).items()
    for field in model._meta.concrete_fields
    if f"{place}{field.name}" not in UNSEEN
]
# By the names that are read: with `defer`, Django forgets a join that has no column.


def place_of(row: Conversation, sort: Sort, *, now: datetime) -> Place:
    segment, moment = row_place(row, sort, now=now)
    return Place(segment, moment, row.pk)


def parse_place(cursor: str) -> Place | None:
    """None if the cursor is not one of ours."""
    number, _, rest = cursor.partition("~")
    at, _, pk = rest.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or number not in {"0", "1"} or not _is_id(pk):
            return None
        return Place(int(number), moment.astimezone(UTC), int(pk))
    except (ValueError, OverflowError):  # the time may be before year 1 in UTC
        return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def matching(user: Visitor, listing: Listing, *, now: datetime) -> QuerySet[Conversation]:
    return conversations_of(user).filter(condition(listing, user, now=now))


@dataclass(frozen=True, slots=True)
class ListNews:
    """Changes since a page's numbers: rows now in the list, and keys of those not in it."""

    rows: list[Conversation]
    gone: list[int]
    too_much: bool


def list_news(
    user: Visitor, listing: Listing, since: Mapping[str, int], *, now: datetime, limit: int
) -> ListNews:
    """Conversations changed since the page's numbers, split by whether the list shows them."""
    changed = conversations_of(user).filter(changed_since(user, since)).order_by("-version")
    ids = list(changed.values_list("pk", flat=True)[:limit])
    shown = matching(user, listing, now=now).filter(pk__in=ids)
    rows = list(whole_rows(shown).order_by("-last_at", "-id"))
    left = Departure.objects.filter(changed_since(user, since))
    left = left.exclude(conversation__team__in=team_ids_of(user))
    deleted = Removal.objects.filter(changed_since(user, since))
    removed = list(deleted.values_list("conversation_key", flat=True)[:limit])
    gone = {*ids, *left.values_list("conversation", flat=True)[:limit], *removed}
    gone -= {row.pk for row in rows}
    return ListNews(rows, sorted(gone), too_much=limit in (len(ids), len(removed)))


@dataclass(frozen=True, slots=True)
class Beside:
    """What a row shows besides its own columns. `has_draft`: the reader has a draft there."""

    held: Held = field(default_factory=Held)
    has_draft: bool = False
    parked: int = 0
    looking: Sequence[str] = ()
    typing: Sequence[str] = ()


def beside(
    user: Visitor, conversations: Sequence[Conversation], *, now: datetime
) -> dict[int, Beside]:
    """Conversation id → additions. Three queries for any number of rows, and the cache."""
    shared = beside_all(conversations, now=now)
    there = present_in(conversations)
    return {
        pk: replace(
            each.beside,
            has_draft=user.pk in each.writers,
            looking=[one.name for one in there.get(pk, []) if one.user_id != user.pk],
            typing=[
                one.name for one in there.get(pk, []) if one.user_id != user.pk and one.types(now)
            ],
        )
        for pk, each in shared.items()
    }


@dataclass(frozen=True, slots=True)
class BesideAll:
    """What a row shows besides its own columns, whoever reads it. `writers`: of drafts there."""

    beside: Beside
    writers: frozenset[int]


def beside_all(conversations: Sequence[Conversation], *, now: datetime) -> dict[int, BesideAll]:
    """Conversation id → additions. Three queries for any number of rows."""
    ids = [one.pk for one in conversations]
    held = held_counts(conversations)
    waiting = ParkedReply.objects.filter(
        conversation__in=ids, state=ParkedState.WAITING, expires_at__gt=now
    )
    parked: Any = waiting.order_by().values_list("conversation").annotate(count=Count("pk"))
    counted = dict(parked)
    writers: dict[int, set[int]] = defaultdict(set)
    drafts = begun().filter(conversation__in=ids)
    for pk, user_id in drafts.values_list("conversation", "user"):
        writers[pk].add(user_id)
    return {
        pk: BesideAll(
            Beside(held=held.get(pk, Held()), parked=counted.get(pk, 0)),
            frozenset(writers.get(pk, ())),
        )
        for pk in ids
    }


def labels_of(user: Visitor) -> list[Label]:
    """Labels by name; the same name in several teams is listed once."""
    seen: dict[str, Label] = {}
    for label in Label.objects.filter(team__in=team_ids_of(user)).order_by("name", "pk"):
        seen.setdefault(label.name, label)
    return list(seen.values())


@dataclass(frozen=True, slots=True)
class Carried:
    """A label and whether all of the chosen conversations have it, or only some."""

    label: Label
    by_all: bool
    by_some: bool


def labels_on(ids: Sequence[int], teams: Sequence[int]) -> list[Carried]:
    """The labels that conversations of these teams can have, by name."""
    through: Any = Conversation.labels.through.objects.filter(label__team__in=teams)
    if len(ids) <= ASKED_FOR:
        through = through.filter(conversation__in=ids)
        rows = through.order_by().values_list("label__name").annotate(count=Count("pk"))
        counted = dict(rows)
    else:  # for thousands, looking up who has a label is too slow
        counted = {}
    seen: dict[str, Label] = {}
    for label in Label.objects.filter(team__in=teams).order_by("name", "pk"):
        seen.setdefault(label.name, label)
    return [
        Carried(one, by_all=counted.get(name) == len(ids), by_some=bool(counted.get(name)))
        for name, one in seen.items()
    ]


def agents_of(user: Visitor) -> list[User]:
    """Members to whom a conversation can be assigned in one of the user's teams."""
    return list(answerers_of(team_ids_of(user)))
