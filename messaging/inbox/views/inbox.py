"""The list, one conversation, and changes since a page was rendered."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from messaging.conversations.access import conversation_or_404
from messaging.inbox import list_queries
from messaging.inbox.lists import NOBODY
from messaging.inbox.parting import parting
from messaging.inbox.views.panes import conversation_context, news
from messaging.inbox.views.rows import PAGE_ROWS_BESIDE, list_context, listing_of, rows_context
from sessions_app.pages.answers import is_htmx
from sessions_app.people.roles import Capability
from sessions_app.realtime.page_numbers import asked, pin_numbers
from sessions_app.sessions.access import require, sessions_of

PANE = "conversation-pane"
LIST = "list-pane"


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """The page without an open conversation, another list, more rows, or the empty pane."""
    require(request.user, Capability.READ_CONVERSATIONS)
    pin_numbers(request)
    target = request.headers.get("HX-Target") if is_htmx(request) else None
    if target == PANE:
        return render(request, "conversation/_nothing_open.html")
    before = request.GET.get("before")
    if is_htmx(request) and target != LIST:
        return render(request, "inbox/more_rows.html", rows_context(request, before=before))
    context = list_context(request, before=before)
    if target == LIST:
        return _other_list(request, context)
    return render(request, "inbox/inbox.html", context)


def _other_list(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Only the list. The open conversation stays open, so its URL is kept."""
    response = render(request, "inbox/other_list.html", context)
    opened = asked(request).open
    if opened is not None and "HX-Current-URL" in request.headers:
        address = reverse("inbox:conversation", args=[opened])
        response["HX-Push-Url"] = address + context["listing"].suffix
    return response


@require_GET
def filters(request: HttpRequest) -> HttpResponse:
    """A form with the possible filters; it leads to the filtered list."""
    require(request.user, Capability.READ_CONVERSATIONS)
    context = {
        "room": "inbox",
        "title": _("Filter"),
        "fragment": "inbox/_filters.html",
        "listing": listing_of(request),
        "sessions": sessions_of(request.user).order_by("name_key"),
        "labels": list_queries.labels_of(request.user),
        "agents": list_queries.agents_of(request.user),
        "nobody": NOBODY,
    }
    page = context["fragment"] if is_htmx(request) else "parts/card_page.html"
    return render(request, str(page), context)


@require_GET
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page, the conversation's pane, or older messages."""
    pin_numbers(request)
    try:
        found = conversation_or_404(request.user, pk)
    except (Http404, PermissionDenied) as refusal:
        return _parted(request, pk, refusal)
    before, around = _number(request, "before"), _number(request, "around")
    after = _number(request, "after")
    context = conversation_context(request, found, before=before, after=after, around=around)
    context["listing"] = listing_of(request)
    if is_htmx(request):
        pane = "conversation/_open.html" if request.headers.get("HX-Target") == PANE else None
        return render(request, pane or "conversation/more_messages.html", context)
    context = {**list_context(request, limit=PAGE_ROWS_BESIDE), **context}
    return render(request, "inbox/inbox.html", context)


def _parted(request: HttpRequest, pk: int, refusal: Http404 | PermissionDenied) -> HttpResponse:
    """For a user who has lost access: says what happened and shows their own draft."""
    why = parting(request.user, pk)
    if is_htmx(request) or not (why.reason or why.has_begun):
        raise refusal
    status = 404 if isinstance(refusal, Http404) else 403
    return render(
        request, "conversation/parted_page.html", {"room": "error", "parting": why}, status=status
    )


@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Changes for open pages; the answer is not cached."""
    require(request.user, Capability.READ_CONVERSATIONS)
    return news(request)


@require_GET
def told(request: HttpRequest) -> HttpResponse:
    """For pages without rows of their own: notifications, and the numbers in the rail."""
    require(request.user, Capability.READ_CONVERSATIONS)
    pin_numbers(request)
    return render(request, "inbox/told.html")


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
