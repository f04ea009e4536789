"""The list, one conversation, and what changed since a page was drawn."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from messaging.access import conversation_or_404
from messaging.views.panes import is_htmx, list_context, news, thread_context
from sessions_app.access import require
from sessions_app.live import pin_numbers
from sessions_app.people.roles import Capability

PANE = "conversation-pane"
MORE = "more"


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """The list with nothing open; the next rows of it; or the empty pane alone."""
    require(request.user, Capability.READ_CONVERSATIONS)
    pin_numbers(request)
    if is_htmx(request) and request.headers.get("HX-Target") == PANE:
        return render(request, "inbox/_nothing_open.html")
    context = list_context(request, before=request.GET.get("before"))
    if is_htmx(request):
        return render(request, "inbox/more_rows.html", context)
    return render(request, "inbox/inbox.html", context)


@require_GET
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    """The page, the pane that a row of the list opens, or the messages before the oldest."""
    require(request.user, Capability.READ_CONVERSATIONS)
    pin_numbers(request)
    found = conversation_or_404(request.user, pk)
    before, around = _number(request, "before"), _number(request, "around")
    after = _number(request, "after")
    context = thread_context(request, found, before=before, after=after, around=around)
    if is_htmx(request):
        pane = "inbox/_open.html" if request.headers.get("HX-Target") == PANE else None
        return render(request, pane or "inbox/more_messages.html", context)
    context = {**list_context(request), **context}
    return render(request, "inbox/inbox.html", context)


@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Fetched by open pages; nothing in it is worth keeping."""
    require(request.user, Capability.READ_CONVERSATIONS)
    return news(request)


@require_GET
def told(request: HttpRequest) -> HttpResponse:
    """What pages without rows of their own ask for: who wrote, what the rail shows."""
    require(request.user, Capability.READ_CONVERSATIONS)
    pin_numbers(request)
    return render(request, "inbox/told.html")


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
