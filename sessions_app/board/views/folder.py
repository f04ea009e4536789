"""Hands receiving for the shared session folder over to another program, and takes it back."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app.board.pages import changes_page, may_hand_over, refused
from sessions_app.folder.mirror import shared
from sessions_app.folder.notes import FolderNote, folder_note
from sessions_app.pages.answers import card, is_htmx, posted
from sessions_app.realtime.streams import waking_workers


def _managed_folder(request: HttpRequest) -> FolderNote:
    if not may_hand_over(request):
        raise PermissionDenied
    note = folder_note()
    if note is None:
        raise Http404
    return note


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest) -> HttpResponse:
    """Asks for confirmation: until another program receives, nobody does."""
    note = _managed_folder(request)
    if not note.may_hand_over:
        return refused(request, _("This console does not receive for the folder now."))
    if request.method == "GET":
        context = {"note": note, "title": _("Hand over receiving…")}
        return card(request, "board/hand_over.html", context)
    with waking_workers():
        shared.hand_over()
    return _board(request)


@posted("sessions:board")
def take_back(request: HttpRequest) -> HttpResponse:
    _managed_folder(request)
    with waking_workers():
        shared.take_back()
    return _board(request)


def _board(request: HttpRequest) -> HttpResponse:
    return changes_page(request) if is_htmx(request) else redirect("sessions:board")
