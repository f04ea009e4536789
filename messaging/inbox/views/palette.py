"""Finds conversations by name for the palette, and sessions for those who see the board."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from messaging.conversations.finding import people_named
from sessions_app.models import Session
from sessions_app.people.roles import Capability, Visitor, may
from sessions_app.sessions.access import sessions_of
from sessions_app.text.folding import fold

MOST_SESSIONS = 5
LONGEST = 80


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """Options that match `q`. Only what the user may see is searched."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    reads = words and may(request.user, Capability.READ_CONVERSATIONS)
    context = {
        "people": people_named(request.user, words) if reads else [],
        "sessions": _sessions(request.user, words) if words else [],
    }
    return render(request, "parts/palette_found.html", context)


def _sessions(user: Visitor, words: str) -> list[Session]:
    if not may(user, Capability.SEE_BOARD):
        return []
    wanted = fold(words)
    named = sessions_of(user).order_by("name_key").values_list("pk", "name")
    fitting = [pk for pk, name in named if wanted in fold(name)][:MOST_SESSIONS]
    return list(sessions_of(user).filter(pk__in=fitting).order_by("name_key"))
