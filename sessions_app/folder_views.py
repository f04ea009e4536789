"""Letting another program receive for the shared session folder, and receiving here again."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.access import require
from sessions_app.folder_notes import FolderNote, folder_note
from sessions_app.mirror import shared
from sessions_app.pages import card, changes_page, is_htmx, refused
from sessions_app.people.roles import Capability
from sessions_app.realtime import waking_workers


def _managed_folder(request: HttpRequest) -> FolderNote:
    require(request.user, Capability.MANAGE_SESSIONS)
    note = folder_note()
    if note is None:
        raise Http404
    return note


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest) -> HttpResponse:
    """Asks first: until another program receives, nobody does."""
    note = _managed_folder(request)
    if not note.may_hand_over:
        return refused(request, _("This console does not receive for the folder now."))
    if request.method == "GET":
        context = {"note": note, "title": _("Let another program receive")}
        return card(request, "sessions/hand_over.html", context)
    with waking_workers():
        shared.hand_over()
    return _board(request)


@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    _managed_folder(request)
    with waking_workers():
        shared.take_back()
    return _board(request)


def _board(request: HttpRequest) -> HttpResponse:
    return changes_page(request) if is_htmx(request) else redirect("sessions:board")
