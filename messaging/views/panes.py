"""What the panes of the inbox are drawn from; the page, its fragments and its news share it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from messaging import presentation, queries
from messaging.access import conversation_or_404
from messaging.media.limits import limits
from messaging.models import Conversation
from sessions_app.live import asked, pin_numbers

MOST_NEWS = 200
MOST_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """What the composer holds. The key makes a double click one message."""

    key: str
    text: str = ""


def new_draft() -> Draft:
    return Draft(uuid.uuid4().hex)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def list_rows(conversations: list[Conversation]) -> list[presentation.Row]:
    now = timezone.now()
    held = queries.held_counts(conversations)
    return [presentation.row(one, now=now, held=held.get(one.pk)) for one in conversations]


def list_context(request: HttpRequest, *, before: str | None = None) -> dict[str, Any]:
    page = queries.conversation_page(request.user, before=before)
    return {"room": "inbox", "rows": list_rows(page.rows), "next": page.next}


def thread_context(
    request: HttpRequest,
    conversation: Conversation,
    *,
    before: int | None = None,
    around: int | None = None,
) -> dict[str, Any]:
    page = queries.thread(conversation, before=before, around=around)
    bubbles = presentation.bubbles(page.messages, contact_name=conversation.contact.display_name)
    return {
        "conversation": conversation,
        "bubbles": bubbles,
        "several": len({one.message.session_id for one in bubbles}) > 1,
        "oldest": bubbles[0].message.pk if bubbles and page.has_older else None,
        "draft": new_draft(),
        "media_limits": limits(),
        **beside_context(conversation),
    }


def beside_context(conversation: Conversation) -> dict[str, Any]:
    """What stands around the bubbles: what is left to reply with, and the person's accounts."""
    now = timezone.now()
    budget = queries.reply_budget(conversation, now=now)
    name = conversation.contact.display_name
    return {
        "contact": conversation.contact,
        "budget": budget,
        "closed": presentation.closed(budget, contact_name=name),
        "left": Left.of(budget.closes_at, now),
        "accounts": [
            (one, Left.of(one.closes_at, now))
            for one in queries.person_contexts(conversation, now=now)
        ],
    }


@dataclass(frozen=True, slots=True)
class Left:
    """The time that is left to reply, in words and as share of the day."""

    closes_at: datetime
    words: str
    until: str
    seconds: int

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
        )


def news(request: HttpRequest, *, draft: Draft | None = None) -> HttpResponse:
    """What changed since the page's numbers, drawn with the page's own partials."""
    pin_numbers(request)
    wanted = asked(request)
    context: dict[str, Any] = {"room": "inbox", "new_draft": draft}
    if wanted.since is not None:
        changed = queries.changed_conversations(request.user, wanted.since, limit=MOST_NEWS)
        context["rows"] = list_rows(changed)
        context["too_much"] = len(changed) >= MOST_NEWS
    if wanted.open is not None:
        opened = _open_news(request, wanted.open, wanted.since or {})
        # The numbers move on past what did not fit: the page has to be read anew.
        opened["too_much"] = opened.get("too_much", False) or context.get("too_much", False)
        context.update(opened)
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
