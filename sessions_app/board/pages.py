"""Responses shared by several views: a login, changes of the board, a session's details."""

import socket
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from sessions_app.board import queries
from sessions_app.board.presentation import board_row, board_rows
from sessions_app.folder.notes import folder_note
from sessions_app.links import scan_links
from sessions_app.login.panel import login_panel
from sessions_app.models import LoginAttempt, ScanLink, Session
from sessions_app.pages.answers import NO_SCRIPT_REFRESH_S, card, is_htmx
from sessions_app.people.roles import Capability, may
from sessions_app.realtime.page_numbers import asked, pin_numbers
from sessions_app.sessions.access import login_or_404, may_for_all, scan_links_of

LINKS_SHOWN = 50


def login_card(
    request: HttpRequest, attempt: LoginAttempt, *, status: int = 200, **extra: str
) -> HttpResponse:
    panel = login_panel(attempt)
    context: dict[str, Any] = {"panel": panel, "title": attempt.session_name, **extra}
    context["link"] = shown_link(scan_links.link_of(attempt))
    # A page must not reload itself while somebody types.
    if not attempt.is_final and not panel.asks:
        context["refresh_s"] = NO_SCRIPT_REFRESH_S
    return card(request, "login/_login.html", context, status=status)


def scan_question(request: HttpRequest, session: Session, *, status: int = 200) -> HttpResponse:
    """Ask for confirmation before a connected session gets a new QR code: a scan ends its login."""
    context = {"session": session, "title": _("Scan again")}
    return card(request, "login/scan_again.html", context, status=status)


def changes_page(request: HttpRequest) -> HttpResponse:
    """What changed on the board since the page's stream numbers, and the parts beside it."""
    pin_numbers(request)
    wanted = asked(request)
    context: dict[str, Any] = {"this_host": socket.gethostname()}
    if may(request.user, Capability.SEE_BOARD):
        context["rows"] = board_rows(queries.board(request.user, since=wanted.since))
        if wanted.since is not None:
            context["removed"] = queries.removed_since(request.user, wanted.since)
        context["undecided"] = queries.undecided_logins(request.user)
        context.update(folder_context(request))
        context["some_sessions"] = bool(context["rows"]) or queries.has_sessions(request.user)
    if wanted.open and may(request.user, Capability.SEE_BOARD):
        context.update(detail_context(request, wanted.open))
    if wanted.login and may(request.user, Capability.MANAGE_SESSIONS):
        attempt = login_or_404(request.user, wanted.login)
        context.update(attempt=attempt, panel=login_panel(attempt))
        context["link"] = shown_link(scan_links.link_of(attempt))
    return render(request, "board/changes.html", context)


def folder_context(request: HttpRequest) -> dict[str, Any]:
    """What the board says about the shared folder, and whether the user may switch who receives."""
    note = folder_note()
    is_asked = note is not None and (note.may_hand_over or note.waits_until is not None)
    return {"folder": note, "may_hand_over": is_asked and may_hand_over(request)}


def may_hand_over(request: HttpRequest) -> bool:
    """The shared folder has the accounts of all teams."""
    return may_for_all(request.user, Capability.MANAGE_SESSIONS, Session.objects.all())


def detail_context(request: HttpRequest, pk: int) -> dict[str, Any]:
    row = queries.one_row(request.user, pk)
    if row is None:
        return {}
    count, last = queries.unreadable_answers(row.session)
    return {
        "detail": board_row(row),
        "events": queries.session_events(row.session),
        "unreadable": count,
        "last_unreadable_at": last,
        "owner_links": owner_links(request, row.session),
    }


def shown_link(link: ScanLink | None) -> dict[str, Any] | None:
    """A link for display: with its URL while it is live, else with the reason why it is dead."""
    if link is None:
        return None
    dead = scan_links.death_of(link)
    return {"row": link, "dead": dead, "address": "" if dead else scan_links.address(link)}


def owner_links(
    request: HttpRequest, session: Session | None = None
) -> list[dict[str, Any] | None]:
    """The newest links of one session, or of all that the user manages, with their URLs."""
    if not may(request.user, Capability.MANAGE_SESSIONS):
        return []
    rows = scan_links_of(request.user)
    if session is not None:
        rows = rows.filter(session=session)
    return [shown_link(link) for link in rows[:LINKS_SHOWN]]


def done(request: HttpRequest, session: Session | None = None) -> HttpResponse:
    """The response after a change: the board gets the changes, other pages redirect."""
    on_board = (
        request.headers.get("HX-Current-URL", "").split("?")[0].endswith(reverse("sessions:board"))
    )
    if is_htmx(request) and on_board:
        return changes_page(request)
    here = "sessions:board" if session is None else "sessions:session"
    target = reverse(here, args=[session.name] if session else [])
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": target})
    return redirect(target)


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """The response to an action that is not possible: an error message and a reloaded page."""
    messages.error(request, sentence, extra_tags="bad")
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": reverse("sessions:board")})
    return redirect("sessions:board")
