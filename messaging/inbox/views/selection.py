"""The conversations that an action applies to: selected ones, or all that match the list."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from messaging.conversations.access import conversations_of
from messaging.inbox import list_queries
from messaging.inbox.lists import Listing
from messaging.inbox.views.rows import listing_behind
from messaging.models import Conversation
from sessions_app.people.roles import Visitor

MOST_CHOSEN = 1_000


@dataclass(frozen=True)
class Chosen:
    """`is_all`: all that match `listing`, loaded or not. `is_single`: one, from its own page."""

    user: Visitor
    listing: Listing
    keys: tuple[int, ...]
    is_all: bool
    is_single: bool

    @cached_property
    def ids(self) -> list[int]:
        """Keys of those that the user may see, in ascending order."""
        return list(self._rows().order_by("pk").values_list("pk", flat=True))

    def _rows(self) -> QuerySet[Conversation]:
        if self.is_all:
            return list_queries.matching(self.user, self.listing, now=timezone.now())
        return conversations_of(self.user).filter(pk__in=self.keys)

    @property
    def count(self) -> int:
        return len(self.ids)

    @property
    def scope(self) -> str:
        return "all" if self.is_all else ""

    @property
    def name(self) -> str:
        """The contact's name if it is one conversation, else ""."""
        if self.count != 1:
            return ""
        named = Conversation.objects.select_related("contact", "team_contact")
        return named.get(pk=self.ids[0]).contact_name

    def teams(self) -> list[int]:
        return list(self._rows().order_by().values_list("team", flat=True).distinct())

    def closings(self, now: datetime) -> list[datetime]:
        """When open reply windows close, earliest first."""
        rows = self._rows().filter(closes_at__gt=now).order_by("closes_at")
        return [at for at in rows.values_list("closes_at", flat=True) if at is not None]

    def assignee(self) -> int | None:
        """The assignee's key if it is one conversation."""
        if self.count != 1:
            return None
        return Conversation.objects.values_list("assignee", flat=True).get(pk=self.ids[0])

    def still_mine(self, pk: int) -> bool:
        return conversations_of(self.user).filter(pk=pk).exists()

    def asking_address(self, act: str) -> str:
        """URL of the form that asks for the action's choice, for the same conversations."""
        query: list[tuple[str, str | int]] = [("list", self.listing.query)]
        if self.is_single:
            query.append(("single", 1))
        query += [("scope", "all")] if self.is_all else [("ids", pk) for pk in self.ids]
        return f"{reverse(f'inbox:{act}')}?{urlencode(query)}"

    def way_back(self) -> str:
        """Without JavaScript: URL of the conversation, or of the list where the action started."""
        if self.is_single and self.ids and self.still_mine(self.ids[0]):
            here = reverse("inbox:conversation", args=[self.ids[0]])
        else:
            here = reverse("inbox:inbox")
        return here + self.listing.suffix


def chosen_of(request: HttpRequest) -> Chosen:
    """Raises Http404 if it is one conversation and the user may not see it."""
    query = request.POST if request.method == "POST" else request.GET
    keys = [key for key in query.getlist("ids")[:MOST_CHOSEN] if _is_key(key)]
    chosen = Chosen(
        user=request.user,
        listing=listing_behind(request),
        keys=tuple(int(key) for key in keys),
        is_all=query.get("scope") == "all",
        is_single="single" in query,
    )
    if chosen.is_single and not chosen.ids:
        raise Http404
    return chosen


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
