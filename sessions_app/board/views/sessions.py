"""The board and the pages of sessions. No view calls WeChat."""

import socket

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from sessions_app.board import queries
from sessions_app.board.forms import AddSessionForm, DeleteForm, RenameForm
from sessions_app.board.pages import (
    changes_page,
    detail_context,
    done,
    folder_context,
    login_card,
    refused,
    scan_question,
)
from sessions_app.board.presentation import board_rows
from sessions_app.login.attempts import start_login
from sessions_app.models import Session, User
from sessions_app.pages.answers import UNPROCESSABLE, card, is_htmx, posted
from sessions_app.people.roles import Capability
from sessions_app.realtime.page_numbers import pin_numbers
from sessions_app.sessions import reasons, services
from sessions_app.sessions.access import may_move_default, require, session_or_404
from sessions_app.sessions.names import SessionNameError


def _managed(request: HttpRequest, name: str) -> Session:
    require(request.user, Capability.MANAGE_SESSIONS)
    return session_or_404(request.user, name)


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    require(request.user, Capability.SEE_BOARD)
    pin_numbers(request)
    rows = board_rows(queries.board(request.user))
    context = {
        "room": "sessions",
        "rows": rows,
        "undecided": queries.undecided_logins(request.user),
        **folder_context(request),
        "this_host": socket.gethostname(),
    }
    return render(request, "board/board.html", context)


@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """The changes since a page's stream numbers, fetched by open pages."""
    require(request.user, Capability.SEE_BOARD)
    return changes_page(request)


@require_GET
def session(request: HttpRequest, name: str) -> HttpResponse:
    require(request.user, Capability.SEE_BOARD)
    pin_numbers(request)
    found = session_or_404(request.user, name)
    context = {"room": "sessions", **detail_context(request, found.pk)}
    return render(request, "sessions/session.html", context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Ask for a name, then show the QR code in the same dialog."""
    require(request.user, Capability.MANAGE_SESSIONS)
    form = AddSessionForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            attempt = start_login(
                user=_actor(request),
                session_name=form.cleaned_data["name"],
                team=form.cleaned_data["team"],
            )
        except SessionNameError as problem:
            form.add_error("name", reasons.name_problem(problem))
        else:
            here = login_card(request, attempt)
            return here if is_htmx(request) else redirect("sessions:login", attempt.pk)
    status = UNPROCESSABLE if form.is_bound else 200
    context = {"form": form, "title": _("Add an account")}
    return card(request, "sessions/add.html", context, status=status)


@require_http_methods(["GET", "POST"])
def scan(request: HttpRequest, name: str) -> HttpResponse:
    """Request a new QR code.

    A session that may still send needs confirmation: a scan ends its login.
    """
    found = _managed(request, name)
    if request.method == "GET":
        return scan_question(request, found)
    force = "force" in request.POST
    if found.may_send and not force:
        return scan_question(request, found, status=UNPROCESSABLE)
    attempt = start_login(
        user=_actor(request), session_name=found.name, team=found.team, session=found, force=force
    )
    if is_htmx(request):
        return login_card(request, attempt)
    return redirect("sessions:login", attempt.pk)


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, name: str) -> HttpResponse:
    found = _managed(request, name)
    form = RenameForm(request.POST or None, initial={"new_name": found.name})
    if form.is_valid():
        try:
            renamed = services.rename_session(
                session=found, new_name=form.cleaned_data["new_name"], user=_actor(request)
            )
        except SessionNameError as problem:
            form.add_error("new_name", reasons.name_problem(problem))
        else:
            return done(request, renamed)
    status = UNPROCESSABLE if form.is_bound else 200
    context = {"form": form, "session": found, "title": _("Rename")}
    return card(request, "sessions/rename.html", context, status=status)


@require_http_methods(["GET", "POST"])
def log_out(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for confirmation and states the consequences."""
    found = _managed(request, name)
    if request.method == "POST":
        services.log_out(session=found, user=_actor(request))
        return done(request, found)
    return card(request, "sessions/log_out.html", {"session": found, "title": _("Log out")})


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for the name. A session that still receives must be logged out first."""
    found = _managed(request, name)
    words = _("“%(name)s” must be logged out first.") % {"name": found.name}
    if found.state not in services.DELETABLE_STATES:
        return refused(request, words)
    form = DeleteForm(request.POST or None, expected=found.name)
    if form.is_valid():
        try:
            services.delete_session(session=found, user=_actor(request))
        except services.SessionStillBound:
            return refused(request, words)
        return done(request)
    status = UNPROCESSABLE if form.is_bound else 200
    context = {"form": form, "session": found, "title": _("Delete")}
    return card(request, "sessions/delete.html", context, status=status)


@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for confirmation and states what happens to messages and replies."""
    if request.method == "POST":
        return _set_paused(request, name, paused=True)
    context = {"session": _managed(request, name), "title": _("Pause")}
    return card(request, "sessions/pause.html", context)


@posted("sessions:session")
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Needs no confirmation, because nothing is lost."""
    return _set_paused(request, name, paused=False)


def _set_paused(request: HttpRequest, name: str, *, paused: bool) -> HttpResponse:
    found = _managed(request, name)
    try:
        services.set_paused(session=found, paused=paused, user=_actor(request))
    except services.SessionNotBound:
        return refused(request, _("“%(name)s” must be scanned first.") % {"name": found.name})
    return done(request, found)


@require_http_methods(["GET", "POST"])
def default(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for confirmation and states what the default session is used for."""
    found = _managed(request, name)
    if not may_move_default(request.user):
        return refused(
            request,
            _("The default account belongs to another team. An administrator can change it."),
        )
    if request.method == "POST":
        services.set_default(session=found, user=_actor(request))
        return done(request, found)
    context = {
        "session": found,
        "former": queries.default_session(request.user),
        "title": _("Make default"),
    }
    return card(request, "sessions/default.html", context)
