"""The list for pages, fragments and changes: which list, its rows and its counts."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from messaging.inbox import list_counts, list_queries, row_presentation
from messaging.inbox.list_conditions import mute_sessions
from messaging.inbox.lists import Listing, View
from messaging.models import Conversation
from sessions_app.people.roles import Visitor
from sessions_app.team_settings.limits import team_settings
from sessions_app.templatetags.console import at_most

MOST_NEWS = 200
PAGE_ROWS = 20
PAGE_ROWS_BESIDE = 15
"""Fewer rows beside an open conversation; more are loaded when the reader scrolls."""


def listing_of(request: HttpRequest) -> Listing:
    """The list that a URL names."""
    return Listing.parse(request.GET)


def listing_behind(request: HttpRequest) -> Listing:
    """The list that the requesting page shows, from a header, the query or a form field."""
    shown = request.GET.get("list", request.headers.get("Live-List"))
    if shown is None:
        shown = request.POST.get("list", "")
    return Listing.parse(QueryDict(shown[:2_000]))


def list_rows(
    user: Visitor, conversations: list[Conversation], listing: Listing
) -> list[row_presentation.Row]:
    now, limits = timezone.now(), team_settings()
    beside = list_queries.beside(user, conversations, now=now)
    return [
        row_presentation.row(
            one, now=now, limits=limits, sort=listing.sort, beside=beside[one.pk], reader=user
        )
        for one in conversations
    ]


def rows_context(
    request: HttpRequest,
    *,
    listing: Listing | None = None,
    before: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The first rows of a list, or those after `before`. By default the list of the URL."""
    listing = listing_of(request) if listing is None else listing
    now = timezone.now()
    page = list_queries.conversation_page(
        request.user, listing, now=now, before=before, limit=PAGE_ROWS if limit is None else limit
    )
    return {
        "room": "inbox",
        "listing": listing,
        "rows": list_rows(request.user, page.rows, listing),
        "next": page.next,
    }


def list_context(
    request: HttpRequest,
    *,
    listing: Listing | None = None,
    before: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The rows and everything above them."""
    rows = rows_context(request, listing=listing, before=before, limit=limit)
    listing = rows["listing"]
    return {
        **rows,
        "list_count": list_count(request, listing),
        "most": most_counted(listing),
        "mute": mute_mark(listing),
        "list_title": row_presentation.list_title(listing),
        "kept": listing.but(words="").pairs,
        "sorts": sort_links(listing),
        "filters": filter_links(listing),
        "empty_words": row_presentation.empty_words(listing),
    }


def counts(request: HttpRequest) -> list_counts.Counts:
    """Read once per request, so that rail, heading and menu show the same numbers."""
    known: list_counts.Counts | None = getattr(request, "_counts", None)
    if known is None:
        known = list_counts.counts(request.user, now=timezone.now())
        request._counts = known  # type: ignore[attr-defined]
    return known


def number_words(count: int) -> str:
    """The number in words, with an upper limit; "" for zero."""
    return at_most(count, list_counts.COUNT_UP_TO) if count else ""


def list_count(request: HttpRequest, listing: Listing) -> int:
    """The number of rows in this list; a number above `most_counted` means “more”."""
    if not listing.is_filtered:
        return counts(request).views[listing.view]
    return list_counts.count(request.user, listing, now=timezone.now(), up_to=most_counted(listing))


def mute_mark(listing: Listing) -> str:
    """Changes when other sessions cannot send, as rows then change without a new version."""
    if listing.view is not View.NEEDS_REPLY:
        return ""
    return f"{crc32(repr(mute_sessions()).encode()):x}"


def most_counted(listing: Listing) -> int:
    if listing.is_filtered:
        return list_counts.COUNT_FILTERED_UP_TO
    return list_counts.COUNT_UP_TO


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view in the rail. `count`: its rows; a number above `COUNT_UP_TO` means “more”."""

    view: View
    icon: str
    query: str
    count: int

    @property
    def suffix(self) -> str:
        return f"?{self.query}" if self.query else ""

    @property
    def words(self) -> str:
        """The number in words, with an upper limit."""
        return at_most(self.count, list_counts.COUNT_UP_TO)


VIEW_ICONS = {
    View.ALL: "inbox",
    View.MINE: "circle-user",
    View.UNASSIGNED: "user",
    View.NEEDS_REPLY: "clock",
    View.NOT_SENT: "triangle-alert",
    View.MISSED: "clock-alert",
    View.MENTIONS: "at-sign",
    View.SNOOZED: "alarm-clock",
    View.RESOLVED: "check",
}


def view_links(request: HttpRequest) -> list[ViewLink]:
    counted = counts(request).views
    return [
        ViewLink(view, icon, Listing(view).query, counted[view])
        for view, icon in VIEW_ICONS.items()
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes the list: its query, its text, and whether it is active."""

    query: str
    words: str
    is_chosen: bool = False


def sort_links(listing: Listing) -> list[Choice]:
    return [
        Choice(listing.but(chosen_sort=sort).query, words, sort is listing.sort)
        for sort, words in row_presentation.sort_words().items()
    ]


def filter_links(listing: Listing) -> list[Choice]:
    """The active filters; each link removes one."""
    narrowed = (
        ("session", listing.session),
        ("label", listing.label),
        ("agent", row_presentation.agent_words(listing.agent)),
    )
    return [
        Choice(listing.but(**{name: ""}).query, words, is_chosen=True)
        for name, words in narrowed
        if words
    ]


def list_news(request: HttpRequest, since: dict[str, int] | None) -> dict[str, Any]:
    """Changes in the list that the page shows, since its numbers."""
    listing = listing_behind(request)
    context: dict[str, Any] = {
        "listing": listing,
        "list_count": list_count(request, listing),
        "most": most_counted(listing),
        "mute": mute_mark(listing),
    }
    if since is not None:
        found = list_queries.list_news(
            request.user, listing, since, now=timezone.now(), limit=MOST_NEWS
        )
        context["rows"] = list_rows(request.user, found.rows, listing)
        context["gone_rows"] = found.gone
        context["is_stale"] = found.too_much
    return context
