"""The template context of the inbox's panes, shared by page, fragments and changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations.access import conversation_or_404
from messaging.inbox import presentation
from messaging.inbox.parting import parting
from messaging.inbox.views.compose_pane import (
    Draft,
    Tray,
    beside_the_text,
    compose_context,
    senders,
    tray_of,
)
from messaging.inbox.views.rows import list_news
from messaging.media.limits import limits as media_limits
from messaging.models import SPOKEN, Conversation, Direction, Message, MessageStatus
from messaging.reply_window import window_words
from messaging.reply_window.urgency import Closing
from messaging.replying import queries
from messaging.replying.answering import answering
from sessions_app.realtime.page_numbers import asked, pin_numbers
from sessions_app.team_settings.limits import team_settings

MOST_MESSAGES = 500


def conversation_context(
    request: HttpRequest,
    conversation: Conversation,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> dict[str, Any]:
    page = queries.conversation(conversation, before=before, after=after, around=around)
    bubbles = _bubbles(conversation, page.messages)
    compose = compose_context(request.user, conversation, bubbles)
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
        **compose,
        **beside_context(conversation, seen=compose["draft"].account),
    }


def _bubbles(conversation: Conversation, messages: list[Message]) -> list[presentation.Bubble]:
    waits = any(one.status == MessageStatus.QUEUED for one in messages)
    return presentation.bubbles(
        messages,
        contact_name=conversation.contact_name,
        holders=queries.holders(conversation) if waits else (),
    )


def _sessions(bubbles: list[presentation.Bubble]) -> set[int]:
    said = (one.message for one in bubbles if one.message.direction in SPOKEN)
    return {message.session_id for message in said}


def _first_unread(conversation: Conversation, bubbles: list[presentation.Bubble]) -> int | None:
    """The message at which “unread from here” is shown when the page is opened."""
    if not conversation.unread:
        return None
    seen = conversation.read_up_to
    for one in bubbles:
        if one.message.direction == Direction.IN and one.message.pk > seen:
            return one.message.pk
    return None


def beside_context(conversation: Conversation, *, seen: int | None = None) -> dict[str, Any]:
    """What surrounds the bubbles: the reply quota and the contact's accounts.

    `seen`: the account that the reader last saw on the Send button.
    """
    now, limits = timezone.now(), team_settings()
    known = queries.contexts_with(conversation)
    quota = queries.reply_quota(conversation, now=now, known=known)
    accounts = queries.person_contexts(conversation, now=now, known=known)
    name = conversation.contact_name
    speaks = answering(conversation, quota, known, seen=seen)
    return {
        "contact": conversation.contact,
        "contact_note": conversation.contact_words.note,
        "quota": quota,
        "answering": speaks,
        "closed": presentation.closed(speaks.quota, contact_name=name),
        "left": Left.of(speaks.quota.closes_at, now, limits.window),
        "limits": limits,
        **beside_the_text(conversation, quota, speaks.quota, now=now),
        "accounts": [(one, Left.of(one.closes_at, now, limits.window)) for one in accounts],
        "senders": senders(accounts, speaks.quota),
    }


@dataclass(frozen=True, slots=True)
class Left:
    """The time left to reply, in words and as a share of the reply window."""

    closes_at: datetime
    words: str
    until: str
    seconds: int
    closing: Closing

    @classmethod
    def of(cls, closes_at: datetime | None, now: datetime, window: timedelta) -> "Left | None":
        if closes_at is None or closes_at <= now:
            return None
        left = closes_at - now
        return cls(
            closes_at,
            window_words.left_words(left),
            window_words.until_words(closes_at),
            int(left.total_seconds()),
            Closing(closes_at, left, window),
        )


def news(
    request: HttpRequest, *, draft: Draft | None = None, tray: Tray | None = None
) -> HttpResponse:
    """Changes since the page's numbers, rendered with the page's own partials.

    `draft` and `tray`: new content of the composer, if the page asked for it.
    """
    pin_numbers(request)
    wanted = asked(request)
    context: dict[str, Any] = {"room": "inbox", "new_draft": draft, "tray": tray}
    context.update(list_news(request, wanted.since))
    if wanted.open is not None:
        seen = draft.account if draft is not None and draft.account else wanted.account
        context.update(_open_news(request, wanted.open, wanted.since or {}, seen))
    return render(request, "inbox/changes.html", context)


def _open_news(
    request: HttpRequest, pk: int, since: dict[str, int], seen: int | None
) -> dict[str, Any]:
    try:
        conversation = conversation_or_404(request.user, pk)
    except Http404:
        return {"gone": pk, "parting": parting(request.user, pk)}
    number = since.get(conversation.team.stream_key, 0)
    messages = queries.changed_messages(conversation, number, limit=MOST_MESSAGES)
    return {
        "conversation": conversation,
        "bubbles": _bubbles(conversation, messages),
        "tray": tray_of(drafts.draft_of(request.user, conversation)),
        "too_much": len(messages) >= MOST_MESSAGES,
        "first_key": presentation.key_of(queries.first_kept(conversation)),
        **beside_context(conversation, seen=seen),
    }
