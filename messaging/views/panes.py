"""What the panes of the inbox are drawn from; the page, its fragments and its news share it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from messaging import presentation, queries
from messaging.access import conversation_or_404
from messaging.media.limits import limits as media_limits
from messaging.models import SPOKEN, Conversation, Direction
from messaging.views.compose_pane import Draft, beside_the_text, compose_context, senders
from messaging.views.rows import list_news
from sessions_app.live import asked, pin_numbers

MOST_MESSAGES = 500


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def thread_context(
    request: HttpRequest,
    conversation: Conversation,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> dict[str, Any]:
    page = queries.thread(conversation, before=before, after=after, around=around)
    bubbles = presentation.bubbles(page.messages, contact_name=conversation.contact.display_name)
    return {
        "conversation": conversation,
        "bubbles": bubbles,
        "several": len(_sessions(bubbles)) > 1,
        "oldest": bubbles[0].message.pk if bubbles and page.has_older else None,
        "newest": bubbles[-1].message.pk if bubbles and page.has_newer else None,
        "around": around,
        "after": after,
        "unread_from": _first_unread(conversation, bubbles),
        "media_limits": media_limits(),
        **compose_context(request.user, conversation, bubbles),
        **beside_context(conversation),
    }


def _sessions(bubbles: list[presentation.Bubble]) -> set[int]:
    said = (one.message for one in bubbles if one.message.direction in SPOKEN)
    return {message.session_id for message in said}


def _first_unread(conversation: Conversation, bubbles: list[presentation.Bubble]) -> int | None:
    """Where “unread from here” stands, as the page was opened."""
    if not conversation.unread:
        return None
    seen = conversation.read_up_to
    for one in bubbles:
        if one.message.direction == Direction.IN and one.message.pk > seen:
            return one.message.pk
    return None


def beside_context(conversation: Conversation) -> dict[str, Any]:
    """What stands around the bubbles: what is left to reply with, and the person's accounts."""
    now = timezone.now()
    known = queries.contexts_with(conversation)
    budget = queries.reply_budget(conversation, now=now, known=known)
    accounts = queries.person_contexts(conversation, now=now, known=known)
    name = conversation.contact.display_name
    return {
        "contact": conversation.contact,
        "budget": budget,
        "closed": presentation.closed(budget, contact_name=name),
        "left": Left.of(budget.closes_at, now),
        **beside_the_text(conversation, budget, now=now),
        "accounts": [(one, Left.of(one.closes_at, now)) for one in accounts],
        "senders": senders(accounts, budget),
    }


@dataclass(frozen=True, slots=True)
class Left:
    """The time that is left to reply, in words and as share of the day."""

    closes_at: datetime
    words: str
    until: str
    seconds: int
    about: str

    @classmethod
    def of(cls, closes_at: datetime | None, now: datetime) -> "Left | None":
        if closes_at is None or closes_at <= now:
            return None
        seconds = int((closes_at - now).total_seconds())
        return cls(
            closes_at,
            presentation.left_words(seconds),
            presentation.until_words(closes_at),
            seconds,
            presentation.about_words(seconds),
        )


def news(request: HttpRequest, *, draft: Draft | None = None, said: str = "") -> HttpResponse:
    """What changed since the page's numbers, drawn with the page's own partials.

    `draft`: what the composer is to hold from now on, after something that it asked for. `said`:
    what came of the action that this answers, where the page itself would not show it.
    """
    pin_numbers(request)
    wanted = asked(request)
    context: dict[str, Any] = {"room": "inbox", "new_draft": draft, "said": said}
    context.update(list_news(request, wanted.since))
    if wanted.open is not None:
        context.update(_open_news(request, wanted.open, wanted.since or {}))
    return render(request, "inbox/changes.html", context)


def _open_news(request: HttpRequest, pk: int, since: dict[str, int]) -> dict[str, Any]:
    try:
        conversation = conversation_or_404(request.user, pk)
    except Http404:
        return {"gone": pk}
    number = since.get(conversation.team.stream_key, 0)
    messages = queries.changed_messages(conversation, number, limit=MOST_MESSAGES)
    return {
        "conversation": conversation,
        "bubbles": presentation.bubbles(messages, contact_name=conversation.contact.display_name),
        "too_much": len(messages) >= MOST_MESSAGES,
        **beside_context(conversation),
    }
